//! Pages with the real Yjs, each in a process of its own.

use super::*;

/// The real Yjs in a process of its own.
struct Page {
    child: std::process::Child,
    answers: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Page {
    /// `None` where Yjs or Node is missing.
    fn new() -> Option<Self> {
        use std::io::BufRead as _;
        let here = env!("CARGO_MANIFEST_DIR");
        let packages = format!("{here}/../web/js");
        if !std::path::Path::new(&packages).join("node_modules/yjs").exists() {
            return None;
        }
        let mut command = std::process::Command::new("node");
        command.arg(format!("{here}/src/room/document/tests/yjs_page.mjs")).arg(packages);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().ok()?;
        let answers = std::io::BufReader::new(child.stdout.take()?).lines();
        Some(Self { child, answers })
    }

    /// Gives the page a command, and says what it sends and shows.
    fn tell(&mut self, command: serde_json::Value) -> (Vec<Vec<u8>>, String) {
        use std::io::Write as _;
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
        let answer: serde_json::Value = serde_json::from_str(&self.answers.next().unwrap().unwrap()).unwrap();
        let sent = answer["sent"].as_array().unwrap().iter().map(|sent| hex(sent.as_str().unwrap())).collect();
        (sent, answer["text"].as_str().unwrap().to_owned())
    }

    fn take(&mut self, message: &[u8]) -> (Vec<Vec<u8>>, String) {
        let message: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        self.tell(serde_json::json!(["take", message]))
    }

    /// Carries what the page sends to the document, and its answers back, until neither has more.
    fn carry(&mut self, document: &mut Document, mut sent: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut broadcasts = Vec::new();
        while let Some(message) = sent.pop() {
            match document.receive(&message).unwrap() {
                Received::Replies(replies) => replies.iter().for_each(|reply| sent.extend(self.take(reply).0)),
                Received::Update { broadcast, changed, .. } => broadcasts.extend(changed.then_some(broadcast)),
                Received::Awareness(_) | Received::WantsAwareness => {}
            }
        }
        broadcasts
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn pages_with_the_real_yjs_and_the_server_agree() {
    let Some(mut pages) = Page::new().zip(Page::new()).map(|(one, two)| [one, two]) else {
        println!("SKIPPED: pages_with_the_real_yjs_and_the_server_agree: web/js/node_modules/yjs or node is missing");
        return;
    };
    let mut document = document("start 😀\nsecond line\n");
    let mut chance = Chance(3);
    for page in &mut pages {
        let (sent, _) = page.tell(serde_json::json!(["open"]));
        page.carry(&mut document, sent);
    }
    let mut heard = [Vec::new(), Vec::new()];
    for turn in 0..400 {
        let who = chance.below(2);
        let text = document.text();
        let places: Vec<usize> =
            text.char_indices().map(|(at, _)| text[..at].encode_utf16().count()).chain([0]).collect();
        if turn % 50 == 49 {
            // A program changes the file meanwhile.
            let new = format!("{}by a program {turn}\n", text.replacen('a', "😀", 1));
            if let Some(update) = document.merge_file(new.as_bytes(), new.len() as u64).unwrap() {
                heard.iter_mut().for_each(|heard| heard.push(update.clone()));
            }
            let written = document.to_write().unwrap();
            document.saved(&written);
        }
        let shown = pages[who].tell(serde_json::json!(["insert", 0, ""])).1.encode_utf16().count();
        let at = places[chance.below(places.len())].min(shown);
        let text = ["x", "é😀", "\n", "word "][chance.below(4)];
        let command = match chance.below(4) {
            0 if at + 3 < shown => serde_json::json!(["delete", at, 1 + chance.below(3)]),
            _ => serde_json::json!(["insert", at, text]),
        };
        let (sent, _) = pages[who].tell(command);
        heard[1 - who].extend(pages[who].carry(&mut document, sent));
        if chance.below(3) == 0 {
            for (page, heard) in pages.iter_mut().zip(&mut heard) {
                heard.drain(..).for_each(|update| assert!(page.take(&update).0.is_empty()));
            }
        }
    }
    for (page, heard) in pages.iter_mut().zip(heard) {
        heard.iter().for_each(|update| drop(page.take(update)));
        assert_eq!(page.tell(serde_json::json!(["insert", 0, ""])).1, document.text());
    }
    let mut late = Page::new().unwrap();
    let (sent, _) = late.tell(serde_json::json!(["open"]));
    late.carry(&mut document, sent);
    assert_eq!(late.tell(serde_json::json!(["insert", 0, ""])).1, document.text());
    opens(&mut document);
}
