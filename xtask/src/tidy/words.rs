//! Words that people read stand in the page's catalogue (`web/words/en.txt`) and nowhere else: finds string literals of the
//! page's code that look like them.

/// Where people are spoken to.
const FOLDERS: [&str; 2] = ["web/src/components/", "web/src/workbench/"];
const FILES: [&str; 4] =
    ["web/src/documents.rs", "web/src/terminals.rs", "web/src/connection.rs", "web/src/state/tree/rows.rs"];

/// Names and examples that are the same in each language.
const NAMES: [&str; 5] = ["Embedenv", "Esc", "Tab", "python main.py", "PORT=8000"];

/// Attributes that are read out or shown.
const SHOWN: [&str; 5] = ["aria-label=", "title=", "placeholder=", "label=", "alt="];

/// Attributes that nobody reads.
const UNREAD: [&str; 3] = ["class=", "rel=", "accept="];

/// What stands before literals that nobody is shown.
const UNSHOWN: [&str; 8] =
    ["classes!(", "expect(", "warn(", "query_selector", "focus(", "closest(", "assert", "from_str("];

/// Names the lines of a file whose literals should come from the catalogue.
pub(super) fn check(name: &str, text: &str, broken: &mut Vec<String>) {
    let is_spoken = FOLDERS.iter().any(|folder| name.starts_with(folder)) || FILES.contains(&name);
    if !is_spoken || name.ends_with("/icon.rs") {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        if line.trim() == "#[cfg(test)]" {
            return;
        }
        let code = line.trim();
        if code.starts_with("//") {
            continue;
        }
        if let Some(word) = literals(code).find(|(before, literal, after)| is_words(before, literal, after)) {
            broken.push(format!("{name}:{}: \"{}\" belongs into web/words/en.txt", number + 1, word.1));
        }
    }
}

/// The string literals of a line, with what stands before and after each.
fn literals(line: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let quotes: Vec<usize> = line
        .match_indices('"')
        .map(|(at, _)| at)
        .filter(|at| !line[..*at].ends_with('\\') && !line[..*at].ends_with('\''))
        .collect();
    let pairs: Vec<(usize, usize)> = quotes.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().map(move |(start, end)| (&line[..start], &line[start + 1..end], &line[end + 1..]))
}

fn is_words(before: &str, literal: &str, after: &str) -> bool {
    let is_unshown =
        UNSHOWN.iter().any(|mark| before.contains(mark)) || UNREAD.iter().any(|attribute| before.ends_with(attribute));
    let is_said = before.ends_with("say!(") || before.ends_with("count!(");
    if NAMES.contains(&literal) || is_unshown || is_said {
        return false;
    }
    let has_letters = literal.chars().filter(|letter| letter.is_alphabetic()).count() > 1;
    let is_drawn = before.trim_end().ends_with('{') && after.trim_start().starts_with('}') && before.contains('>');
    let is_attribute = SHOWN.iter().any(|attribute| before.ends_with(attribute));
    let mut letters = literal.chars();
    let is_capital = letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase);
    let is_sentence = is_capital && literal.contains(' ');
    has_letters && (is_drawn || is_attribute || is_sentence || has_plain_words(literal))
}

/// Three words of small letters after one another, or two beside something that is filled in.
fn has_plain_words(literal: &str) -> bool {
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_lowercase());
    let words: Vec<&str> = literal.split(' ').collect();
    let least = if literal.contains('{') { 2 } else { 3 };
    words.windows(least).any(|together| together.iter().all(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(line: &str) -> usize {
        let mut broken = Vec::new();
        check("web/src/components/a.rs", line, &mut broken);
        broken.len()
    }

    #[test]
    fn words_that_people_read_are_noticed() {
        for line in [
            r#"<button aria-label="Close">"#,
            r#"<p>{ "Nothing" }</p>"#,
            r#"workbench.alert("Open a file first.")"#,
            r#"format!("{name} was not uploaded")"#,
        ] {
            assert_eq!(breaks(line), 1, "{line}");
        }
    }

    #[test]
    fn what_nobody_reads_is_not() {
        for line in [
            r#"<p class="hint small">{ say!("chat.empty") }</p>"#,
            r#""ArrowDown" => 1,"#,
            r#"page::focus("input, textarea")"#,
            r#".expect("the page has an element")"#,
            r#"// A comment with "Words in it"."#,
            r#"{ " " }<h1>{ "Embedenv" }</h1>"#,
        ] {
            assert_eq!(breaks(line), 0, "{line}");
        }
    }
}
