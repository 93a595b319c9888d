//! Files and folders that a person drops onto the page or chooses, each with its path among them. A drop's entries must be
//! taken while its event is handled; what is in its folders is read afterwards.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemDirectoryReader, FileSystemEntry,
    FileSystemFileEntry,
};

/// Files taken at once; what else was dropped is left out, and that is told.
pub(crate) const MAX_FILES: usize = 20_000;

/// A file, and where it stood among what was dropped: `photos/2026/a.png`.
pub(crate) struct Dropped {
    pub(crate) file: File,
    pub(crate) path: String,
}

/// What was found in a drop.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<Dropped>,
    /// Folders with nothing in them.
    pub(crate) folders: Vec<String>,
    /// There were more than are taken.
    pub(crate) has_more: bool,
}

/// What a drop has, not looked into yet.
pub(crate) struct Entries(Vec<FileSystemEntry>);

impl Entries {
    pub(crate) fn of(data: &DataTransfer) -> Self {
        let items = data.items();
        let entry = |index| items.get(index)?.webkit_get_as_entry().ok().flatten();
        Self((0..items.length()).filter_map(entry).collect())
    }

    /// Every file in them, and every empty folder.
    pub(crate) async fn all(self) -> Found {
        let mut found = Found::default();
        let mut waiting: Vec<(String, FileSystemEntry)> =
            self.0.into_iter().rev().map(|entry| (String::new(), entry)).collect();
        while let Some((above, entry)) = waiting.pop() {
            let path = format!("{above}{}", entry.name());
            if entry.is_directory() {
                let within = entries_of(entry.unchecked_ref()).await;
                if within.is_empty() {
                    found.folders.push(path.clone());
                }
                waiting.extend(within.into_iter().rev().map(|entry| (format!("{path}/"), entry)));
            } else if found.files.len() + found.folders.len() >= MAX_FILES {
                found.has_more = true;
                return found;
            } else if let Some(file) = file_of(entry.unchecked_ref()).await {
                found.files.push(Dropped { file, path });
            }
        }
        found
    }
}

/// Files that were chosen in the browser's own dialog; of a folder, with their paths from it on.
pub(crate) fn chosen(list: &FileList) -> Vec<Dropped> {
    let files = (0..list.length()).filter_map(|index| list.get(index)).take(MAX_FILES);
    let with_path = |file: File| {
        let relative = Reflect::get(&file, &"webkitRelativePath".into()).ok().and_then(|path| path.as_string());
        let path = relative.filter(|path| !path.is_empty()).unwrap_or_else(|| file.name());
        Dropped { file, path }
    };
    files.map(with_path).collect()
}

/// What is in a folder; what can't be read is as if it were not there.
async fn entries_of(folder: &FileSystemDirectoryEntry) -> Vec<FileSystemEntry> {
    let reader: FileSystemDirectoryReader = folder.create_reader();
    let mut all = Vec::new();
    loop {
        let page = settled(|done, failed| {
            let _ = reader.read_entries_with_callback_and_callback(done, failed);
        });
        // Browsers give a hundred at a time, and an empty page in the end.
        match page.await.map(|page| page.unchecked_into::<Array>()) {
            Some(page) if page.length() > 0 => all.extend(page.iter().map(JsCast::unchecked_into::<FileSystemEntry>)),
            _ => return all,
        }
    }
}

async fn file_of(entry: &FileSystemFileEntry) -> Option<File> {
    let file = settled(|done, failed| entry.file_with_callback_and_callback(done, failed));
    file.await?.dyn_into().ok()
}

/// What a call with two callbacks comes to.
async fn settled(call: impl FnOnce(&Function, &Function)) -> Option<JsValue> {
    let mut call = Some(call);
    let promise = Promise::new(&mut |done: Function, failed: Function| {
        if let Some(call) = call.take() {
            call(&done, &failed);
        }
    });
    JsFuture::from(promise).await.ok()
}
