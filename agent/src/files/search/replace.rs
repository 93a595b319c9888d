//! Putting something else in the place of hits: file by file, each written atomically and only if it still is the
//! version that was searched. One file that can't be written keeps no other from it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::{Read, Write};
use embedenv_shared::link::search::{MAX_REPLACE, Replaced};
use embedenv_shared::path::ProjectName;
use embedenv_shared::search::{Chosen, MAX_FILE, MAX_LINE, Outcome, Replacing, Spot};

use super::super::beneath::{self, Home};
use super::super::{failure, list, write};
use super::text::{Lines, without_end};
use crate::limits::disk::Disk;

/// The longest that a file may become, in bytes; otherwise it is left as it is.
const MAX_RESULT: usize = 2 * MAX_FILE as usize;
/// How long one call works; files that are left then are told as `timed_out`.
const MAX_TIME: Duration = Duration::from_secs(20);

pub fn all(home: &Home, disk: &Disk, replacing: &Replacing) -> Result<Replaced, Failure> {
    let Replacing { project, query, with, files } = replacing;
    if files.len() > MAX_REPLACE {
        return Err(Failure::new(ErrorCode::TooLarge, format!("one call replaces in up to {MAX_REPLACE} files")));
    }
    let mut lines = Lines::new(query, Some(with))?;
    let deadline = Instant::now() + MAX_TIME;
    let outcomes = files.iter().map(|chosen| match one(home, disk, project, &mut lines, chosen, deadline) {
        Ok(hits) => Outcome { path: chosen.path.clone(), hits, failure: None },
        Err(failure) => Outcome { path: chosen.path.clone(), hits: 0, failure: Some(failure) },
    });
    Ok(Replaced { outcomes: outcomes.collect() })
}

fn one(
    home: &Home,
    disk: &Disk,
    project: &ProjectName,
    lines: &mut Lines,
    chosen: &Chosen,
    deadline: Instant,
) -> Result<u32, Failure> {
    let Chosen { path, version, .. } = chosen;
    let (_, stat) = beneath::file(&home.project(project)?, path)?;
    if beneath::version(&stat) != version.0 {
        return Err(failure::changed(path));
    }
    if version.0.size > MAX_FILE {
        return Err(Failure::new(ErrorCode::TooLarge, format!("{path} has more than {MAX_FILE} bytes")));
    }
    let mut content = Vec::new();
    while (content.len() as u64) < version.0.size {
        let read =
            Read { project: project.clone(), path: path.clone(), offset: content.len() as u64, length: u32::MAX };
        let piece = list::read(home, &read)?;
        if piece.version != version.0 || piece.bytes.is_empty() {
            return Err(failure::changed(path));
        }
        content.extend_from_slice(&piece.bytes);
    }
    if content.contains(&0) {
        return Err(Failure::new(ErrorCode::NotText, format!("{path} is not text")));
    }
    let chosen_hits = chosen.hits.as_ref().map(|hits| hits.iter().copied().collect());
    let (result, hits) = rewritten(lines, &content, chosen_hits.as_ref(), deadline).map_err(|why| match why {
        Refused::Long => Failure::new(ErrorCode::TooLarge, format!("{path} would have more than {MAX_RESULT} bytes")),
        Refused::Late => Failure::new(ErrorCode::TimedOut, format!("{path} was left as it is: it took too long")),
    })?;
    if hits > 0 {
        disk.fits(result.len() as u64, 1)?;
        let expected = Some(Some(version.0));
        write::write(home, &Write { project: project.clone(), path: path.clone(), content: result, expected })?;
    }
    Ok(hits)
}

#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Long,
    Late,
}

/// The content with its hits replaced, or those that were chosen, and how many those were.
fn rewritten(
    lines: &mut Lines,
    content: &[u8],
    chosen: Option<&HashSet<Spot>>,
    deadline: Instant,
) -> Result<(Vec<u8>, u32), Refused> {
    let mut result = Vec::with_capacity(content.len());
    let mut hits = 0;
    let mut number = 0;
    let mut done = 0;
    for whole in content.split_inclusive(|&byte| byte == b'\n') {
        number += 1;
        // The search went no further, either.
        if whole.len() > MAX_LINE {
            break;
        }
        if Instant::now() >= deadline {
            return Err(Refused::Late);
        }
        let line = without_end(whole);
        let mut at = 0;
        lines.each(number, line, |place| {
            if chosen.is_none_or(|chosen| chosen.contains(&place.spot)) {
                result.extend_from_slice(&line[at..place.start]);
                place.fill(line, &mut result);
                at = place.end;
                hits += 1;
            }
            result.len() <= MAX_RESULT
        });
        result.extend_from_slice(&whole[at..]);
        done += whole.len();
        if result.len() > MAX_RESULT {
            return Err(Refused::Long);
        }
    }
    result.extend_from_slice(&content[done..]);
    Ok((result, hits))
}

#[cfg(test)]
mod tests {
    use embedenv_shared::search::Query;

    use super::*;

    fn replaced(pattern: &str, regex: bool, with: &str, content: &str, chosen: Option<&[(u32, u32)]>) -> (String, u32) {
        let query = Query { pattern: pattern.to_owned(), regex, case: true, word: false };
        let mut lines = Lines::new(&query, Some(with)).unwrap();
        let chosen = chosen.map(|spots| spots.iter().map(|&(line, column)| Spot { line, column }).collect());
        let deadline = Instant::now() + MAX_TIME;
        let (result, hits) = rewritten(&mut lines, content.as_bytes(), chosen.as_ref(), deadline).unwrap();
        (String::from_utf8(result).unwrap(), hits)
    }

    #[test]
    fn hits_are_replaced_and_the_ends_of_lines_stay() {
        let content = "a b a\r\nno\na\n\na";
        assert_eq!(replaced("a", false, "x$1", content, None), ("x$1 b x$1\r\nno\nx$1\n\nx$1".to_owned(), 4));
        assert_eq!(replaced("a$", true, "x", content, None), ("a b x\r\nno\nx\n\nx".to_owned(), 3));
        assert_eq!(replaced(r"^(\w)", true, "$1$1", content, None).0, "aa b a\r\nnno\naa\n\naa");
        assert_eq!(replaced("x*", true, "y", content, None), (content.to_owned(), 0), "empty hits are none");
    }

    #[test]
    fn only_chosen_hits_are_replaced_and_columns_count_as_editors_do() {
        let content = "😀é a a\na";
        assert_eq!(replaced("a", false, "b", content, Some(&[(1, 7)])), ("😀é a b\na".to_owned(), 1));
        assert_eq!(replaced("a", false, "b", content, Some(&[(1, 5), (2, 1)])), ("😀é b a\nb".to_owned(), 2));
        assert_eq!(replaced("a", false, "b", content, Some(&[(3, 1)])).1, 0);
    }
}
