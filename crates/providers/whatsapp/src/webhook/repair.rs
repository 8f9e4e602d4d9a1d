//! Makes text out of bytes that strict JSON readers and PostgreSQL would refuse.
//!
//! One NUL or half an emoji in a customer's message would otherwise fail the whole delivery on
//! every retry until Meta drops it. The signature was verified over the raw bytes, which stay as
//! they are; the repair works on a copy, and only if there is something to repair.

use std::borrow::Cow;

/// U+FFFD, the replacement character, as a JSON escape.
const REPLACEMENT: &[u8; 6] = br"\ufffd";

/// A body that is text.
#[derive(Debug)]
pub(crate) struct Repaired<'b> {
    pub(crate) text: Cow<'b, str>,
    /// How many places were replaced.
    pub(crate) replaced: usize,
    /// The deepest nesting of objects and lists.
    pub(crate) depth: usize,
}

/// Replaces invalid UTF-8, escaped NULs, unpaired surrogate escapes and bare control characters in
/// strings by U+FFFD.
pub(crate) fn repair(body: &[u8]) -> Repaired<'_> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let invalid = usize::from(matches!(text, Cow::Owned(_)));
    let scan = Scan::run(text.as_bytes());
    let text = match scan.output {
        None => text,
        // Only ASCII was cut out and only ASCII was put in, at character boundaries.
        Some(output) => Cow::Owned(String::from_utf8_lossy(&output).into_owned()),
    };
    Repaired {
        text,
        replaced: scan.replaced + invalid,
        depth: scan.deepest,
    }
}

/// The deepest nesting of a JSON text.
pub(crate) fn depth(text: &str) -> usize {
    Scan::run(text.as_bytes()).deepest
}

#[derive(Default)]
struct Scan {
    /// The repaired text up to `copied`; absent while nothing had to be repaired.
    output: Option<Vec<u8>>,
    copied: usize,
    replaced: usize,
    depth: usize,
    deepest: usize,
}

impl Scan {
    fn run(text: &[u8]) -> Self {
        let mut scan = Self::default();
        let mut in_string = false;
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            let step = match byte {
                b'"' => {
                    in_string = !in_string;
                    1
                }
                b'\\' if in_string => scan.escape(text, at),
                0..0x20 if in_string => {
                    scan.replace(text, at, 1);
                    1
                }
                _ if in_string => 1,
                b'{' | b'[' => {
                    scan.depth += 1;
                    scan.deepest = scan.deepest.max(scan.depth);
                    1
                }
                b'}' | b']' => {
                    scan.depth = scan.depth.saturating_sub(1);
                    1
                }
                _ => 1,
            };
            at += step;
        }
        let copied = scan.copied;
        if let Some(output) = &mut scan.output {
            output.extend_from_slice(text.get(copied..).unwrap_or_default());
        }
        scan
    }

    /// Handles the escape at `at` and returns its length.
    fn escape(&mut self, text: &[u8], at: usize) -> usize {
        match unit(text, at) {
            None => 2,
            Some(0xd800..=0xdbff) if matches!(unit(text, at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0 | 0xd800..=0xdfff) => {
                self.replace(text, at, 6);
                6
            }
            Some(_) => 6,
        }
    }

    fn replace(&mut self, text: &[u8], at: usize, length: usize) {
        let output = self.output.get_or_insert_default();
        output.extend_from_slice(text.get(self.copied..at).unwrap_or_default());
        output.extend_from_slice(REPLACEMENT);
        self.copied = at + length;
        self.replaced += 1;
    }
}

/// The UTF-16 unit of a `\uXXXX` escape at this place.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    let escape = text.get(at..at + 6)?;
    let digits = escape.strip_prefix(br"\u")?;
    // `from_str_radix` would take a sign.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(body: &[u8]) -> (String, usize) {
        let repaired = repair(body);
        (repaired.text.into_owned(), repaired.replaced)
    }

    #[test]
    fn sound_text_is_not_copied() {
        for sound in [
            r#"{"a":"\ud83d\ude00 \u00e4 \\u0000 \\\\ud800 \" x"}"#,
            r#"{"a":"\\","b":"\u0041"}"#,
            "",
        ] {
            let repaired = repair(sound.as_bytes());
            assert!(matches!(repaired.text, Cow::Borrowed(_)), "{sound}");
            assert_eq!(repaired.replaced, 0);
        }
    }

    #[test]
    fn nuls_lone_surrogates_and_control_characters_become_u_fffd() {
        for (broken, sound) in [
            (r#"["a\u0000b"]"#, r#"["a\ufffdb"]"#),
            (r#"["\ud83d"]"#, r#"["\ufffd"]"#),
            (r#"["\ud83dx\ude00"]"#, r#"["\ufffdx\ufffd"]"#),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            (r#"["\\\u0000"]"#, r#"["\\\ufffd"]"#),
            ("[\"a\u{0}b\nc\"]", r#"["a\ufffdb\ufffdc"]"#),
        ] {
            let (text, replaced) = fixed(broken.as_bytes());
            assert_eq!(text, sound);
            assert!(replaced > 0);
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON after repair");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_become_u_fffd() {
        let (text, replaced) = fixed(b"[\"a\xffb\"]");
        assert_eq!((text.as_str(), replaced), ("[\"a\u{fffd}b\"]", 1));
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert_eq!(fixed(b"\xef\xbb\xbf{}"), ("{}".to_owned(), 0));
    }

    #[test]
    fn brackets_in_strings_are_not_nesting() {
        assert_eq!(depth(r#"{"a":"[[[[","b":[{"c":"\"{"}]}"#), 3);
    }

    #[test]
    fn a_cut_escape_at_the_end_is_left_for_the_json_reader() {
        for cut in [r#"["\"#, r#"["\u"#, r#"["\ud8"#, r#"["\ud83d\u"#] {
            let repaired = repair(cut.as_bytes());
            assert!(serde_json::from_str::<serde_json::Value>(&repaired.text).is_err());
        }
    }
}
