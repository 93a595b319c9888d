//! The frames of searches, read from their text. What a frame means is `state::search`'s.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::search::{Cut, FolderFiles, FoundFile, Hit, Outcome, Summary};
use serde_json::Value;

use super::{Members, Read, Unreadable};

impl Members {
    /// Reads a frame of a search; `None` if it is none.
    pub(super) fn search(&mut self, kind: &str) -> Option<Read<ServerFrame>> {
        Some(match kind {
            "found" => self.list("files", Members::found_file).map(|files| ServerFrame::Found { files, id: self.id() }),
            "files" => {
                self.list("folders", Members::folder_files).map(|folders| ServerFrame::Files { folders, id: self.id() })
            }
            "search-end" => self.summary().map(|summary| ServerFrame::SearchEnd { summary, id: self.id() }),
            "replaced" => {
                self.list("files", Members::outcome).map(|files| ServerFrame::Replaced { files, id: self.id() })
            }
            _ => return None,
        })
    }

    fn found_file(&mut self) -> Read<FoundFile> {
        Ok(FoundFile {
            path: self.path("path")?,
            version: self.text("version")?.parse().map_err(|_| Unreadable)?,
            hits: self.list("hits", Members::hit)?,
            more: self.flag("more")?,
        })
    }

    fn hit(&mut self) -> Read<Hit> {
        Ok(Hit {
            line: self.number("line")?,
            column: self.number("column")?,
            length: self.number("length")?,
            before: self.text("before")?,
            text: self.text("text")?,
            after: self.text("after")?,
            replacement: self.text("replacement").ok(),
        })
    }

    fn folder_files(&mut self) -> Read<FolderFiles> {
        Ok(FolderFiles { path: self.path("path")?, names: self.texts("names")? })
    }

    fn summary(&mut self) -> Read<Summary> {
        Ok(Summary {
            files: self.number("files")?,
            hits: self.number("hits")?,
            skipped: self.number("skipped")?,
            cut: match self.text("cut").as_deref() {
                Ok("hits") => Some(Cut::Hits),
                Ok("files") => Some(Cut::Files),
                Ok("time") => Some(Cut::Time),
                Ok("cancelled") => Some(Cut::Cancelled),
                Ok(_) => return Err(Unreadable),
                Err(_) => None,
            },
        })
    }

    fn outcome(&mut self) -> Read<Outcome> {
        let failure = match self.0.remove("failure") {
            Some(Value::Object(failure)) => {
                let mut failure = Members(failure);
                let code = failure.text("code")?;
                let code = ErrorCode::ALL.iter().copied().find(|known| known.as_str() == code);
                Some(Failure { code: code.unwrap_or(ErrorCode::Internal), message: failure.text("message")? })
            }
            _ => None,
        };
        Ok(Outcome { path: self.path("path")?, hits: self.number("hits")?, failure })
    }
}
