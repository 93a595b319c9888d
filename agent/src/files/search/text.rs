//! Looking for something in the lines of files.
//!
//! Lines are found by `grep-searcher` in bounded memory. What is in a line is found by [`Lines::each`], for the search
//! and for the replacing alike, so that both mean the same places.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::{
    Cut, FoundFile, Hit, MAX_FILE, MAX_FILE_HITS, MAX_LINE, MAX_PATTERN, MAX_SHOWN, Query, Spot, VersionTag,
};
use grep_matcher::{Captures as _, LineTerminator, Matcher as _};
use grep_regex::{RegexCaptures, RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkFinish, SinkMatch};

use super::super::beneath;
use super::template::Template;

/// Bytes told of one file; beyond that it has `more`.
pub const MAX_FILE_BYTES: usize = 384 * 1024;
/// Bytes that a compiled expression, and what it remembers while it runs, may take; one that takes more is refused.
const MAX_COMPILED: usize = 4 * 1024 * 1024;
/// How deep an expression may be nested; the threads that read it have small stacks.
const MAX_NESTED: u32 = 64;
/// Bytes looked at between two looks at whether to go on.
const READ: usize = 16 * 1024;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Stop<'a> {
    pub cancelled: &'a AtomicBool,
    pub deadline: Instant,
}

impl Stop<'_> {
    pub fn reached(&self) -> Option<Cut> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Some(Cut::Cancelled);
        }
        (Instant::now() >= self.deadline).then_some(Cut::Time)
    }
}

/// What is looked for, and what would replace it.
#[derive(Debug)]
pub struct Text {
    lines: Lines,
    searcher: Searcher,
}

/// What looking into a file came to.
#[derive(Debug, Default)]
pub struct Looked {
    pub file: Option<FoundFile>,
    /// About as long as it will be on the wire.
    pub bytes: usize,
    /// It was not looked into, or not to its end.
    pub is_skipped: bool,
    pub cut: Option<Cut>,
}

impl Text {
    pub fn new(query: &Query, replace: Option<&str>) -> Result<Self, Failure> {
        let lines = Lines::new(query, replace)?;
        let searcher = SearcherBuilder::new()
            .line_terminator(LineTerminator::crlf())
            .binary_detection(BinaryDetection::quit(0))
            .bom_sniffing(false)
            .heap_limit(Some(MAX_LINE))
            .build();
        Ok(Self { lines, searcher })
    }

    /// Looks into a file for at most `most` hits.
    pub fn look(&mut self, project: &OwnedFd, path: &WorkspacePath, most: u32, stop: &Stop<'_>) -> Looked {
        let (file, stat) = match beneath::file(project, path) {
            Ok(opened) => opened,
            // It went away meanwhile, or was replaced by something else.
            Err(failure) => {
                let is_gone = matches!(failure.code, ErrorCode::NotFound | ErrorCode::NotRegular);
                return Looked { is_skipped: !is_gone, ..Looked::default() };
            }
        };
        let version = beneath::version(&stat);
        if version.size > MAX_FILE {
            return Looked { is_skipped: true, ..Looked::default() };
        }
        let mut sink = Hits {
            lines: &mut self.lines,
            hits: Vec::new(),
            bytes: 0,
            most: most.min(MAX_FILE_HITS),
            more: false,
            is_binary: false,
        };
        let matcher = sink.lines.matcher.clone();
        let mut reader = Reader { file, stop, stopped: None, left: MAX_FILE };
        let outcome = self.searcher.search_reader(&matcher, &mut reader, &mut sink);
        let Hits { hits, bytes, more, is_binary, .. } = sink;
        let mut looked = Looked { cut: reader.stopped, ..Looked::default() };
        if is_binary {
            return looked;
        }
        looked.is_skipped = outcome.is_err() && reader.stopped.is_none();
        if !hits.is_empty() {
            looked.bytes = bytes + path.as_str().len() + 64;
            looked.file = Some(FoundFile { path: path.clone(), version: VersionTag(version), hits, more });
        }
        looked
    }
}

/// What is looked for within one line.
#[derive(Debug)]
pub struct Lines {
    matcher: RegexMatcher,
    groups: RegexCaptures,
    template: Option<Template>,
}

/// One hit of a line.
#[derive(Debug)]
pub struct Place<'a> {
    pub spot: Spot,
    pub start: usize,
    pub end: usize,
    /// In UTF-16 code units.
    pub length: u32,
    groups: &'a RegexCaptures,
    template: Option<&'a Template>,
}

impl Place<'_> {
    /// Writes what replaces it; nothing, if nothing does.
    pub fn fill(&self, line: &[u8], into: &mut Vec<u8>) {
        if let Some(template) = self.template {
            template.fill(line, self.groups, into);
        }
    }
}

impl Lines {
    pub fn new(query: &Query, replace: Option<&str>) -> Result<Self, Failure> {
        if query.pattern.is_empty() {
            return Err(Failure::new(ErrorCode::BadRequest, "there is nothing to look for"));
        }
        if query.pattern.len() > MAX_PATTERN || replace.is_some_and(|text| text.len() > MAX_PATTERN) {
            let message = format!("what is looked for, and what replaces it, may have {MAX_PATTERN} bytes");
            return Err(Failure::new(ErrorCode::TooLarge, message));
        }
        if query.pattern.contains(['\n', '\r']) {
            return Err(Failure::new(ErrorCode::BadRequest, "a search looks within lines, and not beyond their ends"));
        }
        let matcher = RegexMatcherBuilder::new()
            .case_insensitive(!query.case)
            .word(query.word)
            .fixed_strings(!query.regex)
            .multi_line(true)
            .crlf(true)
            .nest_limit(MAX_NESTED)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .build(&query.pattern)
            .map_err(|error| bad_pattern(&error))?;
        let groups = matcher.new_captures().map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
        let template =
            replace.map(|text| if query.regex { Template::parse(text, &matcher) } else { Template::literal(text) });
        Ok(Self { matcher, groups, template })
    }

    /// Calls `each` with every hit of a line that comes without its end, until that returns `false`. Empty hits are none.
    pub fn each(&mut self, number: u32, line: &[u8], mut each: impl FnMut(&Place<'_>) -> bool) {
        let mut column = 1;
        let mut counted = 0;
        let Self { matcher, groups, template } = self;
        // The expressions of this crate have no errors while they run.
        let _ = matcher.captures_iter(line, groups, |groups| {
            let Some(found) = groups.get(0).filter(|found| !found.is_empty()) else { return true };
            column += width(&line[counted..found.start()]);
            let length = width(&line[found]);
            let spot = Spot { line: number, column };
            column += length;
            counted = found.end();
            let (start, end) = (found.start(), found.end());
            each(&Place { spot, start, end, length, groups, template: template.as_ref() })
        });
    }
}

/// A line without its end.
pub fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn bad_pattern(error: &grep_regex::Error) -> Failure {
    let text = error.to_string();
    if text.contains("size limit") {
        return Failure::new(ErrorCode::BadRequest, "the regular expression is too large: repeat less, or shorter");
    }
    // The last line says what is wrong; those before draw where.
    let why = text.lines().last().unwrap_or(&text);
    let why = why.strip_prefix("error: ").unwrap_or(why);
    Failure::new(ErrorCode::BadRequest, format!("the regular expression can't be read: {why}"))
}

/// UTF-16 code units of a text as it is shown.
fn width(bytes: &[u8]) -> u32 {
    if bytes.is_ascii() {
        return bytes.len() as u32;
    }
    String::from_utf8_lossy(bytes).chars().map(|c| c.len_utf16() as u32).sum()
}

/// Gathers hits from matching lines.
struct Hits<'a> {
    lines: &'a mut Lines,
    hits: Vec<Hit>,
    bytes: usize,
    most: u32,
    more: bool,
    is_binary: bool,
}

impl Sink for Hits<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let line = without_end(found.bytes());
        let number = found.line_number().and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX);
        let Self { lines, hits, bytes, most, more, .. } = self;
        lines.each(number, line, |place| {
            if hits.len() >= *most as usize || *bytes >= MAX_FILE_BYTES {
                *more = true;
                return false;
            }
            let hit = hit(line, place);
            let replacement = hit.replacement.as_ref().map_or(0, String::len);
            *bytes += hit.before.len() + hit.text.len() + hit.after.len() + replacement + 24;
            hits.push(hit);
            true
        });
        Ok(!self.more)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> io::Result<bool> {
        self.is_binary = true;
        Ok(false)
    }

    fn finish(&mut self, _: &Searcher, finish: &SinkFinish) -> io::Result<()> {
        self.is_binary |= finish.binary_byte_offset().is_some();
        Ok(())
    }
}

fn hit(line: &[u8], place: &Place<'_>) -> Hit {
    let Place { spot, start, end, length, template, .. } = *place;
    let replacement = template.is_some().then(|| {
        let mut filled = Vec::new();
        place.fill(line, &mut filled);
        beginning(&filled)
    });
    Hit {
        line: spot.line,
        column: spot.column,
        length,
        before: ending(&line[..start]),
        text: beginning(&line[start..end]),
        after: beginning(&line[end..]),
        replacement,
    }
}

/// As much from the beginning as is shown.
fn beginning(bytes: &[u8]) -> String {
    let mut end = bytes.len().min(MAX_SHOWN);
    while end > 0 && end < bytes.len() && is_inside(bytes[end]) {
        end -= 1;
    }
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// As much from the end as is shown.
fn ending(bytes: &[u8]) -> String {
    let mut start = bytes.len().saturating_sub(MAX_SHOWN);
    while start > 0 && start < bytes.len() && is_inside(bytes[start]) {
        start += 1;
    }
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

/// Whether a character goes on with this byte (RFC 3629).
fn is_inside(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// A file that stops being read when nobody wants more, or when it grew beyond what is looked into.
struct Reader<'a> {
    file: OwnedFd,
    stop: &'a Stop<'a>,
    stopped: Option<Cut>,
    left: u64,
}

impl io::Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stopped = self.stop.reached();
        if self.stopped.is_some() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let length = into.len().min(READ).min(usize::try_from(self.left).unwrap_or(READ));
        let count = rustix::io::read(&self.file, &mut into[..length])?;
        self.left -= count as u64;
        Ok(count)
    }
}
