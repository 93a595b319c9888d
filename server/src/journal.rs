//! Append-only files of checksummed records: what has been appended survives the death of this process at once, and a
//! power cut after at most [`GROUP`].
//!
//! A record is `length u32 | CRC-32C u32 of the payload | payload`, little endian. A file that was torn in the middle of
//! a record is cut before it when it is opened, and that is told. This module knows bytes and files; what a record means
//! is its owner's. Appending writes to the system's page cache and never waits for the disk.
//!
//! Task tree: one `journal sync` for all journals of a server.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crc::{CRC_32_ISCSI, Crc};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::tasks::Tasks;

/// What was appended together goes to the disk together, this long after the first of it. With the time that the disk
/// takes, a power cut loses less than 50 ms.
const GROUP: Duration = Duration::from_millis(20);
/// The longest record, in bytes. A longer one is refused; one that says it is longer ends the file.
const MAX_RECORD: usize = 64 * 1024 * 1024;
const HEADER: usize = 8;
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
    waits: AtomicBool,
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
        let synced = tokio::task::spawn_blocking(move || {
            for file in files {
                // Before the call: what is appended during it is for the next turn.
                file.waits.store(false, Ordering::Release);
                if let Err(error) = file.file.sync_data() {
                    tracing::error!(path = %file.path.display(), %error, "a journal could not be brought to the disk");
                }
            }
        });
        if let Err(error) = synced.await {
            tracing::error!(%error, "journals could not be brought to the disk");
        }
    }
}

/// One file of records, open for appending.
#[derive(Debug)]
pub struct Journal {
    file: Arc<Synced>,
    syncer: Syncer,
    /// Bytes of whole records.
    length: u64,
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
    /// Makes a file with these first records, in place of one that may be there. It is there whole or not at all.
    pub fn create(path: &Path, records: &[&[u8]], syncer: &Syncer) -> io::Result<Self> {
        let mut file = new_file(path)?;
        let beside = beside(path);
        let mut bytes = Vec::with_capacity(records.iter().map(|record| HEADER + record.len()).sum());
        for record in records {
            put_record(&mut bytes, record)?;
        }
        let made = file.write_all(&bytes).and_then(|()| fs::rename(&beside, path));
        if let Err(error) = made {
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
        let file = Arc::new(Synced { file, path: path.to_owned(), waits: AtomicBool::new(false) });
        syncer.mark(&file);
        Ok(Self { file, syncer: syncer.clone(), length: bytes.len() as u64, torn: false })
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
        let file = Arc::new(Synced { file, path: path.to_owned(), waits: AtomicBool::new(false) });
        let journal = Self { file, syncer: syncer.clone(), length: length as u64, torn: false };
        Ok(Opened { journal, records, cut })
    }

    /// Appends a record, whole or not at all. When it returns, the record outlives this process.
    pub fn append(&mut self, record: &[u8]) -> io::Result<()> {
        if self.torn {
            return Err(io::Error::other("an earlier write failed half way"));
        }
        let mut bytes = Vec::with_capacity(HEADER + record.len());
        put_record(&mut bytes, record)?;
        if let Err(error) = self.file.file.write_all_at(&bytes, self.length) {
            // What was written of it must not stand before the next record.
            self.torn = self.file.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        self.syncer.mark(&self.file);
        Ok(())
    }

    /// Bytes in the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A new file with one record in place of everything up to `from`, and what stands after `from` behind it. The new
    /// one was brought to the disk before this one's place is taken ([`Compacted::write`]).
    pub fn take_place(&mut self, compacted: Compacted, from: u64) -> io::Result<()> {
        let Compacted { file, path, length } = compacted;
        let mut rest = vec![0; (self.length - from) as usize];
        self.file.file.read_exact_at(&mut rest, from)?;
        file.write_all_at(&rest, length)?;
        fs::rename(beside(&path), &path)?;
        self.file = Arc::new(Synced { file, path, waits: AtomicBool::new(false) });
        self.length = length + rest.len() as u64;
        self.torn = false;
        self.syncer.mark(&self.file);
        Ok(())
    }
}

/// A file that will take another's place.
#[derive(Debug)]
pub struct Compacted {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Compacted {
    /// Writes the record that stands for all before it beside the journal at `path`, and waits for the disk.
    pub fn write(path: &Path, record: &[u8]) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(HEADER + record.len());
        put_record(&mut bytes, record)?;
        let mut file = new_file(path)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        Ok(Self { file, path: path.to_owned(), length: bytes.len() as u64 })
    }
}

/// Makes a folder for journals, and those above it: for the server's own user and nobody else.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A file beside the journal at `path`, empty, that will take its place. Only the server's own user may read it.
fn new_file(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(true).read(true).write(true).mode(0o600).open(beside(path))
}

/// Where a file is made that will be at `path`.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
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
        let from = journal.length();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(room.parent().unwrap()), mode(&room), mode(&path)), (0o700, 0o700, 0o600));
        journal.take_place(Compacted::write(&path, b"anew").unwrap(), from).unwrap();
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
        let from = journal.length();
        let compacted = Compacted::write(&path, b"both").unwrap();
        journal.append(b"third").unwrap();
        journal.take_place(compacted, from).unwrap();
        journal.append(b"fourth").unwrap();
        let opened = Journal::open(&path, &syncer).unwrap();
        assert_eq!(opened.records, [&b"both"[..], b"third", b"fourth"]);
        assert_eq!(opened.journal.length(), journal.length());
        assert!(!beside(&path).exists());
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
        assert!(tasks.close(Duration::from_secs(5)).await);
    }
}
