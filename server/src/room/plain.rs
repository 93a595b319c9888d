//! What plain clients see of a command's output: the reference's frames, made from bytes and from the moments when
//! output pauses, the program waits, or it ends.
//!
//! Does no I/O and knows no time: whoever drives it says when something happened. Text joined from the frames, with each
//! `terminal-newline` as a newline (but for the one that [`PlainRenderer::waiting`] adds), is the program's output, with
//! U+FFFD where it was not UTF-8 and with `\r\n` as one newline.

use embedenv_shared::frame::ServerFrame;

use super::text::whole;

/// The longest text of one `terminal-data`, in bytes; a longer line comes as several.
pub const MAX_DATA: usize = 16 * 1024;

/// Turns one command's output into frames.
#[derive(Debug, Default)]
pub struct PlainRenderer {
    /// The beginning of a character whose rest has not come yet: at most three bytes.
    partial: Vec<u8>,
    /// A carriage return came last; if a line feed follows, both are one newline.
    has_return: bool,
    /// Text of the unfinished line that was not given out yet: at most [`MAX_DATA`] bytes.
    line: String,
    /// Some of the unfinished line was given out.
    is_begun: bool,
}

impl PlainRenderer {
    /// Takes output; gives out the lines that it finishes.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<ServerFrame>) {
        let text = whole(&mut self.partial, bytes);
        self.text(&text, out);
    }

    /// Output has paused: gives out the unfinished line. Half a character, or a carriage return that a line feed may
    /// follow, stays until it is known what it is.
    pub fn flush(&mut self, out: &mut Vec<ServerFrame>) {
        if !self.line.is_empty() {
            self.give_line(out);
        }
    }

    /// The program waits for input: gives out the unfinished line, and a newline after it, once.
    pub fn waiting(&mut self, out: &mut Vec<ServerFrame>) {
        self.flush(out);
        if self.is_begun {
            self.newline(out);
        }
    }

    /// The program has ended: gives out all that is left. A last line that was not finished gets no newline.
    pub fn end(&mut self, out: &mut Vec<ServerFrame>) {
        if !std::mem::take(&mut self.partial).is_empty() {
            self.text("\u{FFFD}", out);
        }
        if std::mem::take(&mut self.has_return) {
            self.add("\r", out);
        }
        self.flush(out);
        self.is_begun = false;
    }

    /// Whether [`PlainRenderer::flush`] would give something out.
    pub fn has_unfinished(&self) -> bool {
        !self.line.is_empty()
    }

    fn text(&mut self, mut text: &str, out: &mut Vec<ServerFrame>) {
        if text.is_empty() {
            return;
        }
        if std::mem::take(&mut self.has_return) && !text.starts_with('\n') {
            self.add("\r", out);
        }
        while let Some((line, rest)) = text.split_once('\n') {
            self.add(line.strip_suffix('\r').unwrap_or(line), out);
            self.newline(out);
            text = rest;
        }
        if let Some(before) = text.strip_suffix('\r') {
            self.has_return = true;
            text = before;
        }
        self.add(text, out);
    }

    /// Adds to the unfinished line, and gives out what is too long to keep.
    fn add(&mut self, mut text: &str, out: &mut Vec<ServerFrame>) {
        while self.line.len() + text.len() > MAX_DATA {
            let (fits, rest) = text.split_at(text.floor_char_boundary(MAX_DATA - self.line.len()));
            self.line.push_str(fits);
            self.give_line(out);
            text = rest;
        }
        self.line.push_str(text);
    }

    fn give_line(&mut self, out: &mut Vec<ServerFrame>) {
        out.push(ServerFrame::TerminalData { data: std::mem::take(&mut self.line) });
        self.is_begun = true;
    }

    fn newline(&mut self, out: &mut Vec<ServerFrame>) {
        self.flush(out);
        out.push(ServerFrame::terminal_newline());
        self.is_begun = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    use super::*;

    /// Frames in short: data in quotes, newlines as `n`.
    fn show(frames: &[ServerFrame]) -> String {
        let show = |frame: &ServerFrame| match frame {
            ServerFrame::TerminalData { data } => format!("{data:?}"),
            ServerFrame::TerminalNewline { .. } => "n".to_owned(),
            other => panic!("{other:?}"),
        };
        frames.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn pushed(chunks: &[&[u8]]) -> (PlainRenderer, String) {
        let (mut renderer, mut out) = (PlainRenderer::default(), Vec::new());
        chunks.iter().for_each(|chunk| renderer.push(chunk, &mut out));
        (renderer, show(&out))
    }

    fn shown(act: impl FnOnce(&mut Vec<ServerFrame>)) -> String {
        let mut out = Vec::new();
        act(&mut out);
        show(&out)
    }

    #[test]
    fn lines_are_data_and_newline_and_empty_ones_a_newline_alone() {
        assert_eq!(pushed(&[b"one\r\n\r\ntwo\nthr"]).1, r#""one" n n "two" n"#);
        assert_eq!(pushed(&[b"one\r", b"\n", b"two\r", b"three\n"]).1, r#""one" n "two\rthree" n"#);
        assert_eq!(pushed(&[b"10%\r20%\r\r\n"]).1, r#""10%\r20%\r" n"#);
        assert_eq!(pushed(&[b"\x1b[31mred\x1b[0m\r\n"]).1, r#""\u{1b}[31mred\u{1b}[0m" n"#);
    }

    #[test]
    fn a_prompt_is_followed_by_a_newline_once_when_the_program_waits() {
        let (mut renderer, _) = pushed(&[b"Name: "]);
        assert!(renderer.has_unfinished());
        assert_eq!(shown(|out| renderer.flush(out)), r#""Name: ""#);
        assert!(!renderer.has_unfinished());
        assert_eq!(shown(|out| renderer.flush(out)), "");
        assert_eq!(shown(|out| renderer.waiting(out)), "n");
        assert_eq!(shown(|out| renderer.waiting(out)), "");
        assert_eq!(shown(|out| renderer.push(b"Hello Bob\r\n", out)), r#""Hello Bob" n"#);
        assert_eq!(shown(|out| renderer.waiting(out)), "");
        let (mut renderer, _) = pushed(&[b"? "]);
        assert_eq!(shown(|out| renderer.waiting(out)), r#""? " n"#);
    }

    #[test]
    fn a_progress_bar_gets_no_newline_between_its_parts() {
        let (mut renderer, _) = pushed(&[b"."]);
        assert_eq!(shown(|out| renderer.flush(out)), r#"".""#);
        renderer.push(b"..", &mut Vec::new());
        assert_eq!(shown(|out| renderer.flush(out)), r#""..""#);
        assert_eq!(shown(|out| renderer.push(b"\r\n", out)), "n");
    }

    #[test]
    fn the_end_gives_out_what_is_left_without_a_newline() {
        let (mut renderer, _) = pushed(&[b"caf\xc3"]);
        assert_eq!(shown(|out| renderer.flush(out)), r#""caf""#);
        assert_eq!(shown(|out| renderer.end(out)), "\"\u{FFFD}\"");
        let (mut renderer, _) = pushed(&[b"x\r"]);
        assert_eq!(shown(|out| renderer.end(out)), r#""x\r""#);
        let (mut renderer, _) = pushed(&[b"done\r\n"]);
        assert_eq!(shown(|out| renderer.end(out)), "");
    }

    #[test]
    fn long_lines_are_cut_at_characters_and_little_of_them_is_kept() {
        let (mut renderer, mut out) = (PlainRenderer::default(), Vec::new());
        let line = "x".to_owned() + &"äöü€😀".repeat(100_000);
        for chunk in line.as_bytes().chunks(1001) {
            renderer.push(chunk, &mut out);
            assert!(renderer.line.capacity() <= 2 * MAX_DATA);
        }
        renderer.push(b"\r\n", &mut out);
        assert_eq!(out.pop(), Some(ServerFrame::terminal_newline()));
        let mut joined = String::new();
        for frame in out {
            let ServerFrame::TerminalData { data } = frame else { panic!("a newline within the line") };
            assert!(data.len() <= MAX_DATA && data.len() + 4 > MAX_DATA || joined.len() + data.len() == line.len());
            joined.push_str(&data);
        }
        assert_eq!(joined, line);
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            vec(any::<u8>(), 0..6),
            "[a-zä€😀\r\n\x1b]{0,6}".prop_map(String::into_bytes),
            Just(b"\r\n".to_vec()),
            Just(b"\r".to_vec()),
            Just("€😀".as_bytes()[..5].to_vec()),
            Just(vec![b'y'; MAX_DATA - 1]),
        ]
    }

    proptest! {
        #[test]
        fn joined_frames_are_the_output_however_it_was_cut(pieces in vec((piece(), any::<bool>()), 0..24)) {
            let (mut renderer, mut out) = (PlainRenderer::default(), Vec::new());
            let mut input = Vec::new();
            for (bytes, is_flushed) in &pieces {
                renderer.push(bytes, &mut out);
                input.extend_from_slice(bytes);
                if *is_flushed {
                    renderer.flush(&mut out);
                    assert!(!renderer.has_unfinished());
                }
            }
            renderer.end(&mut out);
            let joined: String = out.iter().map(|frame| match frame {
                ServerFrame::TerminalData { data } => {
                    assert!(!data.is_empty() && data.len() <= MAX_DATA);
                    data.as_str()
                }
                _ => "\n",
            }).collect();
            assert_eq!(joined, String::from_utf8_lossy(&input).replace("\r\n", "\n"));
        }
    }
}
