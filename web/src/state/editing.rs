//! How a file is edited: bounds of what a person may set, and how a file is indented, how its lines end and what it is
//! written in.

use embedenv_shared::frame::LineEnding;

use super::languages::Language;
use crate::words::catalogue::say;

/// Size of the code in CSS pixels: least, first and most.
pub const FONT_SIZE: (u32, u32, u32) = (8, 13, 32);
/// Widths of a step of indentation that are offered, in columns.
pub const TAB_SIZES: [u32; 4] = [2, 3, 4, 8];
/// Ends of lines that are offered.
pub const LINE_ENDINGS: [LineEnding; 2] = [LineEnding::Lf, LineEnding::CrLf];

/// What the line below says of the shown file, and lets people choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// `None` before its editor has said so.
    pub indentation: Option<Indentation>,
    pub line_ending: LineEnding,
    pub language: Choice,
}

/// What a file is taken to be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// What its name tells.
    #[default]
    ByName,
    /// A text that is in no language.
    Plain,
    Language(&'static Language),
}

/// How a file is indented: by tabs or by spaces, and so many columns are a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indentation {
    pub tabs: bool,
    pub size: u32,
}

impl Indentation {
    pub fn words(self) -> String {
        if self.tabs {
            say!("indentation.tabs", size = self.size)
        } else {
            say!("indentation.spaces", size = self.size)
        }
    }
}

/// What an end of a line is called where there is little room.
pub fn short(eol: LineEnding) -> &'static str {
    match eol {
        LineEnding::Lf => say!("line-ending.lf"),
        LineEnding::CrLf => say!("line-ending.crlf"),
    }
}
