//! Output as text: characters whose bytes come in pieces are put together, and what is none is replaced.

/// Bytes as text, behind what is left of the ones before; the beginning of a character at their end is left for the next.
pub(super) fn whole(partial: &mut Vec<u8>, bytes: &[u8]) -> String {
    partial.extend_from_slice(bytes);
    let mut text = String::with_capacity(partial.len());
    let mut rest = Vec::new();
    let mut left = partial.len();
    for chunk in partial.utf8_chunks() {
        text.push_str(chunk.valid());
        let bad = chunk.invalid();
        left -= chunk.valid().len() + bad.len();
        let may_go_on = left == 0 && std::str::from_utf8(bad).is_err_and(|error| error.error_len().is_none());
        if may_go_on {
            rest = bad.to_vec();
        } else if !bad.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    *partial = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_whole_however_the_output_is_cut() {
        let bytes = "é €\n🦀".as_bytes();
        for cut in 0..=bytes.len() {
            let mut partial = Vec::new();
            let first = whole(&mut partial, &bytes[..cut]);
            assert!(!first.contains(char::REPLACEMENT_CHARACTER), "{cut}");
            assert_eq!(first + &whole(&mut partial, &bytes[cut..]), "é €\n🦀", "{cut}");
        }
        let mut partial = Vec::new();
        assert_eq!(whole(&mut partial, b"a\xff\xc3"), "a\u{fffd}");
        assert_eq!(whole(&mut partial, b"b"), "\u{fffd}b");
    }
}
