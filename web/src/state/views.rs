//! What a tab shows of a file: its text, a picture, a preview, or what has changed. Pure.

use embedenv_shared::path::WorkspacePath;

use super::files::{FileId, OpenFile};
use crate::words::catalogue::say;

/// What a tab shows. Views other than the text stand on an open file and go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// The file itself: its text in an editor, or a picture.
    #[default]
    File,
    /// A Markdown file or an SVG as it looks.
    Preview(FileId),
    /// What has changed in it.
    Compare(FileId, Against),
}

/// What a file is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Its text when this page opened it first.
    First,
    /// What is on disk.
    Saved,
}

impl View {
    /// The file that it shows, if it is not that file's own tab.
    pub fn source(self) -> Option<FileId> {
        match self {
            Self::File => None,
            Self::Preview(source) | Self::Compare(source, _) => Some(source),
        }
    }

    /// What a tab of a file called `name` says.
    pub fn title(self, name: &str) -> String {
        match self {
            Self::File => name.to_owned(),
            Self::Preview(_) => say!("view.title", name = name),
            Self::Compare(_, Against::First) => say!("compare.title.first", name = name),
            Self::Compare(_, Against::Saved) => say!("compare.title.saved", name = name),
        }
    }
}

/// The kind of picture that the file at `path` is, as browsers call it, if it is none that is text.
pub fn picture(path: &WorkspacePath) -> Option<&'static str> {
    Some(match ending(path).as_str() {
        "png" | "apng" => "image/png",
        "jpg" | "jpeg" | "jfif" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "ico" | "cur" => "image/x-icon",
        _ => return None,
    })
}

/// The same with SVG, which is text, too.
pub fn any_picture(path: &WorkspacePath) -> Option<&'static str> {
    picture(path).or_else(|| is_svg(path).then_some("image/svg+xml"))
}

pub fn is_svg(path: &WorkspacePath) -> bool {
    ending(path) == "svg"
}

pub fn is_markdown(path: &WorkspacePath) -> bool {
    matches!(ending(path).as_str(), "md" | "markdown" | "mdown" | "mkd")
}

/// Whether a tab shows text, in which there is a cursor.
pub fn has_text(file: &OpenFile) -> bool {
    !matches!(file.view, View::Preview(_)) && picture(&file.path).is_none()
}

/// Whether there is more to be seen of it than its text.
pub fn has_preview(path: &WorkspacePath) -> bool {
    is_markdown(path) || is_svg(path)
}

fn ending(path: &WorkspacePath) -> String {
    let name = path.name().unwrap_or_default();
    name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_endings_and_svg_is_text_as_well() {
        let path = |text| WorkspacePath::parse(text).unwrap();
        assert_eq!(picture(&path("a/Photo.JPG")), Some("image/jpeg"));
        assert_eq!((picture(&path("a.svg")), any_picture(&path("a.svg"))), (None, Some("image/svg+xml")));
        assert_eq!((picture(&path("png")), has_preview(&path("README.md"))), (None, true));
    }
}
