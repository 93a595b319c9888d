//! How typing narrows what the command palette offers.

/// What stands in a text as it is typed, from the beginning of a word on, goes before letters that are apart; most of all
/// what the text begins with.
const IN_ONE: i32 = 1000;

/// How well `typed` fits `text`: its letters in order, best where they stand together and at the beginnings of words.
/// `None` when a letter is missing.
pub fn fit(typed: &str, text: &str) -> Option<i32> {
    let mut score = 0;
    let mut wanted = typed.chars().map(|c| c.to_ascii_lowercase()).filter(|c| !c.is_whitespace()).peekable();
    let mut last_hit = None;
    let mut before = ' ';
    for (at, letter) in text.chars().enumerate() {
        let Some(&next) = wanted.peek() else { break };
        if letter.to_ascii_lowercase() == next {
            wanted.next();
            let begins_word = !before.is_alphanumeric() || (before.is_lowercase() && letter.is_uppercase());
            let follows = last_hit.is_some_and(|hit| hit + 1 == at);
            score += 1 + 4 * i32::from(begins_word) + 3 * i32::from(follows);
            last_hit = Some(at);
        }
        before = letter;
    }
    wanted.peek().is_none().then(|| {
        let (text, typed) = (text.to_lowercase(), typed.trim().to_lowercase());
        let begins_word = |at: usize| !text[..at].ends_with(char::is_alphanumeric);
        let is_in_one = text.match_indices(&typed).any(|(at, _)| begins_word(at));
        let in_one = IN_ONE * (i32::from(is_in_one) + i32::from(text.starts_with(&typed)));
        in_one + score * 8 - i32::try_from(text.len()).unwrap_or(i32::MAX) / 4
    })
}

/// What fits, best first; things that fit equally well keep their order.
pub fn narrowed<T>(typed: &str, items: Vec<T>, text: impl Fn(&T) -> String) -> Vec<T> {
    if typed.trim().is_empty() {
        return items;
    }
    let mut fitting: Vec<(i32, T)> = Vec::new();
    for item in items {
        if let Some(score) = fit(typed, &text(&item)) {
            let at = fitting.partition_point(|(better, _)| *better >= score);
            fitting.insert(at, (score, item));
        }
    }
    fitting.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_fit_and_others_do_not() {
        assert!(fit("nt", "New terminal").is_some());
        assert!(fit("tn x", "New terminal").is_none());
        assert!(fit("", "a").is_some_and(|short| fit("", "something longer").is_some_and(|long| long < short)));
    }

    #[test]
    fn beginnings_of_words_go_before_letters_in_the_middle() {
        let items = vec!["Close terminal", "New terminal", "Rename entry"];
        assert_eq!(narrowed("nt", items, |item| (*item).to_owned())[0], "New terminal");
        let items =
            vec!["Show what has changed since the file was saved", "Hide the chat", "Chat and activity", "Catch at"];
        assert_eq!(narrowed("chat", items, |item| (*item).to_owned())[..2], ["Chat and activity", "Hide the chat"]);
        let files = vec!["a/domain.rs", "src/main.rs"];
        assert_eq!(narrowed("main", files, |file| (*file).to_owned())[0], "src/main.rs");
    }
}
