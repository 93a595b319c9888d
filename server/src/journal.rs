//! Append-only files of checksummed records: what has been appended survives the death of this process at once, and a
//! power cut after at most [`GROUP`].
//!
//! A record is `length u32 | CRC-32C u32 of the payload | payload`, little endian. A file that was torn in the middle of
//! a record is cut before it when it is opened, and that is told. This module knows bytes and files; what a record means
//! is its owner's. Appending writes to the system's page cache and never waits for the disk.
//!
//! A file is made under a name of its own beside the journal and renamed: two that are being made never write into each
//! other, and one that a dead server left is known by its name ([`is_unfinished`]). What takes the place of another file
//! is on the disk before; the folder follows in the syncer's turn, as what is appended does.
//!
//! Task tree: one `journal sync` for all journals of a server.

mod diary;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crc::{CRC_32_ISCSI, Crc};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::tasks::Tasks;
pub use diary::Diary;

/// What was appended together goes to the disk together, this long after the first of it. With the time that the disk
/// takes, a power cut loses less than 50 ms.
const GROUP: Duration = Duration::from_millis(20);
/// The longest record, in bytes. A longer one is refused; one that says it is longer ends the file.
const MAX_RECORD: usize = 64 * 1024 * 1024;
const HEADER: usize = 8;
/// Folders above a new file that may be as new as it: a room's, that of all rooms, and the data directory.
const NEW_FOLDERS: usize = 3;
/// The extension of files that are to take a journal's place, behind a number of their own.
const UNFINISHED: &str = "new";
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Brings journals to the disk in groups. Clones share one task.
#[derive(Debug, Clone, Default)]
pub struct Syncer(Arc<Syncing>);

#[derive(Debug, Default)]
struct Syncing {
    waiting: Mutex<Vec<Arc<Synced>>>,
    some: Notify,
}

/// A file that the syncer brings to the disk.
#[derive(Debug)]
struct Synced {
    file: File,
    path: PathBuf,
    /// Bytes of whole records.
    length: AtomicU64,
    waits: AtomicBool,
    /// Its name is not on the disk yet.
    is_new: AtomicBool,
}

impl Synced {
    fn new(file: File, path: PathBuf, length: u64, is_new: bool) -> Arc<Self> {
        let (length, waits, is_new) = (AtomicU64::new(length), AtomicBool::new(false), AtomicBool::new(is_new));
        Arc::new(Self { file, path, length, waits, is_new })
    }

    fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }
}

impl Syncer {
    /// Starts the task. It ends with the server, after a last turn.
    pub fn start(tasks: &Tasks) -> Self {
        let syncer = Self::default();
        let (syncing, closing) = (syncer.0.clone(), tasks.clone());
        tasks.spawn("journal sync", async move {
            loop {
                tokio::select! {
                    () = syncing.some.notified() => sleep(GROUP).await,
                    () = closing.closing() => break,
                }
                syncing.turn().await;
            }
            syncing.turn().await;
        });
        syncer
    }

    /// Brings everything appended so far to the disk.
    pub async fn flush(&self) {
        self.0.turn().await;
    }

    fn mark(&self, file: &Arc<Synced>) {
        if !file.waits.swap(true, Ordering::AcqRel) {
            self.0.waiting.lock().push(file.clone());
            self.0.some.notify_one();
        }
    }
}

impl Syncing {
    async fn turn(&self) {
        let files = std::mem::take(&mut *self.waiting.lock());
        if files.is_empty() {
            return;
        }
        let synced = tokio::task::spawn_blocking(move || sync(&files));
        if let Err(error) = synced.await {
            tracing::error!(%error, "journals could not be brought to the disk");
        }
    }
}

fn sync(files: &[Arc<Synced>]) {
    let mut folders = BTreeSet::new();
    for file in files {
        // Before the call: what is appended during it is for the next turn.
        file.waits.store(false, Ordering::Release);
        if file.is_new.swap(false, Ordering::AcqRel) {
            folders.extend(file.path.ancestors().skip(1).take(NEW_FOLDERS));
        }
        told(&file.path, file.file.sync_data());
    }
    for folder in folders {
        match File::open(folder) {
            // It went with its room, or is the start of a relative path.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => told(folder, opened.and_then(|folder| folder.sync_all())),
        }
    }
}

fn told(path: &Path, outcome: io::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(path = %path.display(), %error, "a journal could not be brought to the disk");
    }
}

/// One file of records, open for appending.
#[derive(Debug)]
pub struct Journal {
    file: Arc<Synced>,
    syncer: Syncer,
    /// An append failed half way and could not be taken back: nothing may follow it.
    torn: bool,
}

/// What a file held.
#[derive(Debug)]
pub struct Opened {
    pub journal: Journal,
    pub records: Vec<Vec<u8>>,
    /// Bytes at the end that were no whole record, and have been cut off.
    pub cut: u64,
}

impl Journal {
    /// Makes a file with these first records, in place of one that may be there. It is there whole or not at all. Waits
    /// for the disk if one is there, which the disk has: what takes its place must be there as well.
    pub fn create(path: &Path, records: &[&[u8]], syncer: &Syncer) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(records.iter().map(|record| HEADER + record.len()).sum());
        for record in records {
            put_record(&mut bytes, record)?;
        }
        let mut made = Unfinished::beside(path)?;
        made.file.write_all(&bytes)?;
        if path.exists() {
            made.file.sync_data()?;
        }
        let file = Synced::new(made.take_place(path)?, path.to_owned(), bytes.len() as u64, true);
        syncer.mark(&file);
        Ok(Self { file, syncer: syncer.clone(), torn: false })
    }

    /// Opens a file and reads what it holds, cutting off what is no whole record.
    pub fn open(path: &Path, syncer: &Syncer) -> io::Result<Opened> {
        let mut file = File::options().read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, length) = whole_records(&bytes);
        let cut = (bytes.len() - length) as u64;
        if cut > 0 {
            file.set_len(length as u64)?;
            tracing::warn!(path = %path.display(), bytes = cut, "a journal was torn at its end; what was no whole record is cut off");
        }
        let file = Synced::new(file, path.to_owned(), length as u64, false);
        let journal = Self { file, syncer: syncer.clone(), torn: false };
        Ok(Opened { journal, records, cut })
    }

    /// Appends a record, whole or not at all. When it returns, the record outlives this process.
    pub fn append(&mut self, record: &[u8]) -> io::Result<()> {
        if self.torn {
            return Err(io::Error::other("an earlier write failed half way"));
        }
        let mut bytes = Vec::with_capacity(HEADER + record.len());
        put_record(&mut bytes, record)?;
        let length = self.length();
        if let Err(error) = self.file.file.write_all_at(&bytes, length) {
            // What was written of it must not stand before the next record.
            self.torn = self.file.file.set_len(length).is_err();
            return Err(error);
        }
        self.file.length.store(length + bytes.len() as u64, Ordering::Release);
        self.syncer.mark(&self.file);
        Ok(())
    }

    /// Bytes in the file.
    pub fn length(&self) -> u64 {
        self.file.length()
    }

    /// Begins to write this file anew: with one record for all that stands in it now.
    pub fn compact(&self) -> Compaction {
        Compaction { old: self.file.clone(), from: self.length() }
    }

    /// Lets a file that was written anew take this one's place, with what was appended meanwhile. Says whether it did:
    /// not if this is another file than the one it was made for.
    pub fn take_place(&mut self, mut compacted: Compacted) -> io::Result<bool> {
        if !Arc::ptr_eq(&compacted.old, &self.file) {
            return Ok(false);
        }
        // What came since the last look, which is not older than what waits for the syncer.
        compacted.take_rest()?;
        let Compacted { made, old, length, .. } = compacted;
        self.file = Synced::new(made.take_place(&old.path)?, old.path.clone(), length, true);
        self.torn = false;
        self.syncer.mark(&self.file);
        Ok(true)
    }
}

/// A journal that is to be written anew. Appending goes on meanwhile.
#[derive(Debug)]
pub struct Compaction {
    old: Arc<Synced>,
    /// Where in it what the record does not stand for begins.
    from: u64,
}

impl Compaction {
    /// Writes the record that stands for all before it into a file of its own, and what was appended since behind it.
    /// Waits for the disk.
    pub fn write(self, record: &[u8]) -> io::Result<Compacted> {
        let mut bytes = Vec::with_capacity(HEADER + record.len());
        put_record(&mut bytes, record)?;
        let mut made = Unfinished::beside(&self.old.path)?;
        made.file.write_all(&bytes)?;
        let mut compacted = Compacted { made, old: self.old, from: self.from, length: bytes.len() as u64 };
        // The record is long and takes the disk a while; what comes meanwhile is short, so that little is left for
        // `take_place`, which does not wait.
        for _ in 0..2 {
            compacted.take_rest()?;
            compacted.made.file.sync_data()?;
        }
        Ok(compacted)
    }
}

/// A file that will take another's place.
#[derive(Debug)]
pub struct Compacted {
    made: Unfinished,
    old: Arc<Synced>,
    /// Where in the old file what this one lacks begins.
    from: u64,
    length: u64,
}

impl Compacted {
    /// Writes what was appended to the old file since the last look.
    fn take_rest(&mut self) -> io::Result<()> {
        let until = self.old.length();
        let mut rest = vec![0; (until - self.from) as usize];
        self.old.file.read_exact_at(&mut rest, self.from)?;
        self.made.file.write_all_at(&rest, self.length)?;
        self.from = until;
        self.length += rest.len() as u64;
        Ok(())
    }
}

/// A file that is being made beside the journal whose place it is to take. Dropped before, it is removed.
#[derive(Debug)]
struct Unfinished {
    file: File,
    path: PathBuf,
}

impl Unfinished {
    /// Only the server's own user may read it.
    fn beside(journal: &Path) -> io::Result<Self> {
        /// No two of one server have the same name, and it finds none of another.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path = journal.with_extension(format!("{number}.{UNFINISHED}"));
        let file = File::options().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
        Ok(Self { file, path })
    }

    fn take_place(self, of: &Path) -> io::Result<File> {
        let file = self.file.try_clone()?;
        fs::rename(&self.path, of)?;
        Ok(file)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it has taken its place there is nothing of that name.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a file of this name was to take a journal's place.
pub fn is_unfinished(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == UNFINISHED)
}

/// Makes a folder for journals, and those above it: for the server's own user and nobody else.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn put_record(out: &mut Vec<u8>, record: &[u8]) -> io::Result<()> {
    if record.len() > MAX_RECORD {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the record is too long for a journal"));
    }
    out.extend_from_slice(&(record.len() as u32).to_le_bytes());
    out.extend_from_slice(&CRC32C.checksum(record).to_le_bytes());
    out.extend_from_slice(record);
    Ok(())
}

/// The records at the beginning of a file, and how many bytes they take.
fn whole_records(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((record, after)) = first_record(rest) {
        records.push(record.to_vec());
        rest = after;
    }
    (records, bytes.len() - rest.len())
}

fn first_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (record, rest) = rest.split_at_checked(length).filter(|_| length <= MAX_RECORD)?;
    (CRC32C.checksum(record) == u32::from_le_bytes(*checksum)).then_some((record, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(folder: &Path) -> (PathBuf, Syncer, Journal) {
        let (path, syncer) = (folder.join("1.log"), Syncer::default());
        let journal = Journal::create(&path, &[b"first"], &syncer).unwrap();
        (path, syncer, journal)
    }

    #[test]
    fn what_was_appended_is_read_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let (path, syncer, mut journal) = journal(folder.path());
        journal.append(b"second").unwrap();
        journal.append(b"").unwrap();
        let mut opened = Journal::open(&path, &syncer).unwrap();
        assert_eq!(opened.records, [&b"first"[..], b"second", b""]);
        assert_eq!((opened.cut, opened.journal.length()), (0, journal.length()));
        opened.journal.append(b"third").unwrap();
        assert_eq!(Journal::open(&path, &syncer).unwrap().records.len(), 4);
    }

    #[test]
    fn nobody_else_reads_a_journal() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let room = folder.path().join("journals/room");
        make_folder(&room).unwrap();
        let (path, _, mut journal) = journal(&room);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(room.parent().unwrap()), mode(&room), mode(&path)), (0o700, 0o700, 0o600));
        let compacted = journal.compact().write(b"anew").unwrap();
        assert_eq!(mode(&compacted.made.path), 0o600);
        assert!(journal.take_place(compacted).unwrap());
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_torn_anywhere_loses_its_last_record_at_most_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (path, syncer, mut journal) = journal(folder.path());
        let mut ends = vec![0, journal.length()];
        for n in 0..40u8 {
            journal.append(&vec![n; usize::from(n)]).unwrap();
            ends.push(journal.length());
        }
        let whole = fs::read(&path).unwrap();
        assert!(whole.len() > 1000);
        for torn_at in 0..1000 {
            fs::write(&path, &whole[..torn_at]).unwrap();
            let opened = Journal::open(&path, &syncer).unwrap();
            let records = ends.iter().filter(|&&end| end <= torn_at as u64).count() - 1;
            assert_eq!(opened.records.len(), records, "torn at {torn_at}");
            assert_eq!(opened.cut, torn_at as u64 - ends[records]);
            assert_eq!(fs::metadata(&path).unwrap().len(), ends[records]);
        }
        let mut flipped = whole.clone();
        flipped[whole.len() - 1] ^= 1;
        fs::write(&path, &flipped).unwrap();
        assert_eq!(Journal::open(&path, &syncer).unwrap().records.len(), 40);
    }

    #[test]
    fn a_length_that_lies_is_not_believed() {
        assert_eq!(whole_records(&[0xff; 64]).1, 0);
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.extend_from_slice(&[0; 60]);
        assert_eq!(whole_records(&bytes), (Vec::new(), 0));
    }

    #[test]
    fn one_record_takes_the_place_of_many_and_keeps_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let (path, syncer, mut journal) = journal(folder.path());
        journal.append(b"second").unwrap();
        let compaction = journal.compact();
        journal.append(b"third").unwrap();
        let compacted = compaction.write(b"both").unwrap();
        assert_eq!(whole_records(&fs::read(&compacted.made.path).unwrap()).0, [&b"both"[..], b"third"], "on the disk");
        journal.append(b"meanwhile").unwrap();
        assert!(journal.take_place(compacted).unwrap());
        assert!(journal.file.is_new.load(Ordering::Acquire), "the folder follows");
        journal.append(b"fourth").unwrap();
        let opened = Journal::open(&path, &syncer).unwrap();
        assert_eq!(opened.records, [&b"both"[..], b"third", b"meanwhile", b"fourth"]);
        assert_eq!(opened.journal.length(), journal.length());
        assert_eq!(names(folder.path()), ["1.log"]);
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn files_that_are_made_at_once_never_write_into_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let (path, syncer, journal) = journal(folder.path());
        let one = journal.compact().write(b"one that takes a while").unwrap();
        let other = journal.compact().write(b"other").unwrap();
        drop(other);
        // The document starts a new life, or is loaded anew, while its log is written in the background.
        let mut live = Journal::create(&path, &[b"live"], &syncer).unwrap();
        assert_eq!(whole_records(&fs::read(&one.made.path).unwrap()).0, [b"one that takes a while"]);
        assert!(!live.take_place(one).unwrap(), "it was made for the file of before");
        live.append(b"next").unwrap();
        assert_eq!(Journal::open(&path, &syncer).unwrap().records, [b"live", b"next"]);
        assert_eq!(names(folder.path()), ["1.log"]);
    }

    #[tokio::test]
    async fn everything_marked_is_brought_to_the_disk_once() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = Tasks::default();
        let syncer = Syncer::start(&tasks);
        let mut journal = Journal::create(&folder.path().join("1.log"), &[], &syncer).unwrap();
        journal.append(b"one").unwrap();
        journal.append(b"two").unwrap();
        assert_eq!(syncer.0.waiting.lock().len(), 1);
        syncer.flush().await;
        assert!(syncer.0.waiting.lock().is_empty() && !journal.file.waits.load(Ordering::Acquire));
        assert!(!journal.file.is_new.load(Ordering::Acquire), "and its name with it");
        assert!(tasks.close(Duration::from_secs(5)).await);
    }
}
