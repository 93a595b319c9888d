//! How a file is edited: bounds of what a person may set, and how a file is indented.

use crate::words::catalogue::say;

/// Size of the code in CSS pixels: least, first and most.
pub const FONT_SIZE: (u32, u32, u32) = (8, 13, 32);
/// Widths of a step of indentation that are offered, in columns.
pub const TAB_SIZES: [u32; 4] = [2, 3, 4, 8];

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
