//! The screen a terminal shows, drawn from its output: what a client gets instead of output it has missed.
//!
//! Output is hostile: whatever it holds, there is an answer, in bounded memory.

use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};

use embedenv_shared::link::sessions::Size;
use vt100::Parser;

/// The last bytes of output that are looked at; a screen never takes more to draw.
pub const MAX_OUTPUT: usize = 2 * 1024 * 1024;
/// The most cells of a screen that is drawn, at 40 bytes each; of a larger one the last lines are given as text.
const MAX_CELLS: usize = 256 * 1024;
/// The most text of those lines.
const MAX_LAST_LINES: usize = 64 * 1024;

const ALTERNATE_SCREEN: &str = "\x1b[?1049h";

/// Bytes that draw the screen, the cursor and the modes of a terminal of `size` after `output`, on a reset terminal.
pub fn snapshot(size: Size, output: &[u8]) -> Vec<u8> {
    let size = size.clamped();
    let output = &output[output.len().saturating_sub(MAX_OUTPUT)..];
    if usize::from(size.rows) * usize::from(size.cols) > MAX_CELLS {
        return last_lines(size, output);
    }
    // The parser has met most hostile output there is, and is not ours.
    catch_unwind(AssertUnwindSafe(|| draw(size, output))).unwrap_or_else(|_| last_lines(size, output))
}

fn draw(size: Size, output: &[u8]) -> Vec<u8> {
    let least_one = |n: u16| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
    let mut parser = Parser::new(least_one(size.rows), least_one(size.cols), 0);
    parser.process(output);
    let screen = parser.screen();
    let mut drawn = Vec::new();
    if screen.alternate_screen() {
        drawn.extend_from_slice(ALTERNATE_SCREEN.as_bytes());
    }
    drawn.extend_from_slice(screen.state_formatted().as_bytes());
    drawn
}

/// The text at the end of the output without anything that controls a terminal.
fn last_lines(size: Size, output: &[u8]) -> Vec<u8> {
    let tail = String::from_utf8_lossy(&output[output.len().saturating_sub(MAX_LAST_LINES)..]);
    let lines: Vec<&str> = tail.split('\n').collect();
    let shown = &lines[lines.len().saturating_sub(usize::from(size.rows))..];
    let plain = |line: &&str| line.chars().filter(|c| !c.is_control()).collect::<String>();
    shown.iter().map(plain).collect::<Vec<_>>().join("\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    use super::*;

    fn parsed(size: Size, bytes: &[u8]) -> Parser {
        let mut parser = Parser::new(size.rows.try_into().unwrap(), size.cols.try_into().unwrap(), 0);
        parser.process(bytes);
        parser
    }

    /// A terminal that gets the snapshot shows what the one that got all the output does.
    fn check(size: Size, output: &[u8]) -> Parser {
        let (whole, redrawn) = (parsed(size, output), parsed(size, &snapshot(size, output)));
        let (whole_screen, screen) = (whole.screen(), redrawn.screen());
        assert_eq!(screen.contents(), whole_screen.contents());
        assert_eq!(screen.state_formatted(), whole_screen.state_formatted());
        assert_eq!(screen.cursor_position(), whole_screen.cursor_position());
        assert_eq!(screen.alternate_screen(), whole_screen.alternate_screen());
        redrawn
    }

    #[test]
    fn text_colours_and_the_cursor_are_drawn_again() {
        let screen = check(Size::PLAIN, b"$ ls\r\n\x1b[1;31mred\x1b[0m \x1b[48;2;1;2;3mtrue\x1b[m\r\n$ \x1b[?25l");
        assert!(screen.screen().contents().contains("red true"));
        assert!(screen.screen().hide_cursor());
    }

    #[test]
    fn only_what_is_on_the_screen_is_left_of_much_output() {
        let output: String = (0..300_000).map(|n| format!("line {n}\r\n")).collect();
        let screen = check(Size::PLAIN, output.as_bytes());
        assert!(screen.screen().contents().ends_with("line 299999"));
        assert!(snapshot(Size::PLAIN, output.as_bytes()).len() < 4096);
    }

    #[test]
    fn a_full_screen_program_keeps_its_screen_and_modes() {
        let output = b"shell\r\n\x1b[?1049h\x1b[?1h\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[2J\x1b[5;10H~vim~";
        let screen = check(Size { cols: 40, rows: 10 }, output);
        let screen = screen.screen();
        assert!(screen.alternate_screen() && screen.application_cursor() && screen.bracketed_paste());
        assert_eq!(screen.cursor_position(), (4, 14));
    }

    #[test]
    fn wide_characters_and_marks_that_combine_are_drawn_again() {
        let screen = check(Size { cols: 5, rows: 3 }, "漢字漢字e\u{301}👩‍💻|".as_bytes());
        assert!(screen.screen().contents().contains("漢字"));
    }

    #[test]
    fn a_screen_too_large_to_draw_is_text() {
        let size = Size { cols: 1000, rows: 1000 };
        let text = snapshot(size, b"\x1b]0;title\x07one\r\n\x1b[2Jtwo\xff");
        assert_eq!(String::from_utf8(text).unwrap(), "]0;titleone\r\n[2Jtwo\u{FFFD}");
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let escape = prop_oneof![
            "\x1b\\[[0-9;?]{0,12}[@A-Za-z]",
            "\x1b[\\]P_^][0-9a-z;]{0,12}(\x07|\x1b\\\\)?",
            "\x1b[()#78DEHMc=>]",
            "\x1b\\[[0-9]{5,22}[A-Za-z]",
            "[a-z漢👩\u{301}\u{200d}\r\n\t\x08\x0e]{0,12}",
        ];
        prop_oneof![
            escape.prop_map(String::into_bytes),
            vec(any::<u8>(), 0..12),
            Just(b"\x1b[?1049h".to_vec()),
            Just(b"\x1b[2;3r\x1b[?6h".to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn any_output_has_a_screen(cols in 0u16..12, rows in 0u16..8, pieces in vec(piece(), 0..40)) {
            let output = pieces.concat();
            let drawn = snapshot(Size { cols, rows }, &output);
            assert!(drawn.len() < 64 * 1024);
        }
    }
}
