//! The tree of a `project` command: as the reference shows it ([`Node`]), and as the checked list of folders and
//! files that the agent writes ([`Plan`]). A tree with one bad node makes no plan at all.

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use crate::code::{ErrorCode, Failure};
use crate::path::{EntryName, MAX_DEPTH, PathError, WorkspacePath};

/// Entries one tree may have.
pub const MAX_NODES: usize = 50_000;

/// A node of `file_structure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: NodeKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Node>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Folder,
    File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Base64,
}

/// Folders to make, then files to write, each beneath the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Parents stand before their children.
    pub folders: Vec<WorkspacePath>,
    pub files: Vec<PlannedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    pub path: WorkspacePath,
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}

impl Plan {
    /// Checks a whole tree. Names, depth, contents and doubles are held to the rules before anything is written.
    pub fn from_tree(root: Node) -> Result<Self, Failure> {
        let mut plan = Self::default();
        let mut seen = std::collections::HashSet::new();
        let mut pending = vec![(WorkspacePath::root(), 1, root)];
        while let Some((parent, depth, node)) = pending.pop() {
            if depth > MAX_DEPTH {
                return Err(PathError::TooDeep.into());
            }
            let path = EntryName::parse(&node.name).and_then(|name| parent.join(&name)).map_err(|error| {
                Failure::new(ErrorCode::BadPath, format!("{error} (in {parent:?}, name {:?})", shortened(&node.name)))
            })?;
            if !seen.insert(path.clone()) {
                return Err(Failure::new(ErrorCode::BadRequest, format!("{path} stands twice in the tree")));
            }
            if seen.len() > MAX_NODES {
                return Err(Failure::new(ErrorCode::TooLarge, format!("a tree has at most {MAX_NODES} entries")));
            }
            match node.kind {
                NodeKind::Folder => {
                    if node.content.is_some() {
                        return Err(Failure::new(ErrorCode::BadRequest, format!("the folder {path} has content")));
                    }
                    plan.folders.push(path.clone());
                    let children = node.children.unwrap_or_default().into_iter().rev();
                    pending.extend(children.map(|child| (path.clone(), depth + 1, child)));
                }
                NodeKind::File => {
                    if node.children.is_some_and(|children| !children.is_empty()) {
                        return Err(Failure::new(ErrorCode::BadRequest, format!("the file {path} has children")));
                    }
                    let content = content_bytes(node.content.unwrap_or_default(), node.encoding).map_err(|error| {
                        Failure::new(ErrorCode::BadRequest, format!("the content of {path}: {error}"))
                    })?;
                    plan.files.push(PlannedFile { path, content });
                }
            }
        }
        Ok(plan)
    }
}

/// The bytes of a `content` member under its `encoding`.
pub fn content_bytes(content: String, encoding: Option<Encoding>) -> Result<Vec<u8>, base64::DecodeError> {
    match encoding {
        None => Ok(content.into_bytes()),
        Some(Encoding::Base64) => base64::engine::general_purpose::STANDARD.decode(content),
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(json: &str) -> Result<Plan, Failure> {
        Plan::from_tree(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_reference_tree_becomes_a_plan() {
        let plan = plan(
            r#"{"name":"project","type":"folder","children":[{"name":"main.py","type":"file","content":"print(1)"},
                {"name":"b","type":"file","content":"AAE=","encoding":"base64"}]}"#,
        )
        .unwrap();
        assert_eq!(plan.folders.iter().map(WorkspacePath::as_str).collect::<Vec<_>>(), ["project"]);
        assert_eq!(plan.files[0].path.as_str(), "project/main.py");
        assert_eq!(plan.files[1].content, [0, 1]);
    }

    #[test]
    fn one_bad_node_spoils_the_tree() {
        for (json, code) in [
            (r#"{"name":"..","type":"folder"}"#, ErrorCode::BadPath),
            (r#"{"name":"a","type":"folder","children":[{"name":"b/c","type":"file"}]}"#, ErrorCode::BadPath),
            (r#"{"name":"a","type":"folder","content":"x"}"#, ErrorCode::BadRequest),
            (r#"{"name":"a","type":"file","children":[{"name":"b","type":"file"}]}"#, ErrorCode::BadRequest),
            (r#"{"name":"a","type":"file","content":"=","encoding":"base64"}"#, ErrorCode::BadRequest),
            (
                r#"{"name":"a","type":"folder","children":[{"name":"b","type":"file"},{"name":"b","type":"folder"}]}"#,
                ErrorCode::BadRequest,
            ),
        ] {
            assert_eq!(plan(json).unwrap_err().code, code, "{json}");
        }
    }
}
