//! What bytes are, by their signature.

use infer::MatcherType;

/// What was found at the beginning of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    /// A type with a signature of its own.
    Known(&'static str),
    /// A ZIP archive: perhaps a document of the newer Office.
    Zip,
    /// A compound file: perhaps a document of the older Office.
    Ole,
    /// UTF-8 without control characters.
    Text,
    /// Something that can be run.
    Program,
    /// None of these.
    Unknown,
}

impl Sniffed {
    pub(super) const fn mime(self) -> Option<&'static str> {
        match self {
            Self::Known(mime) => Some(mime),
            Self::Zip | Self::Ole | Self::Text | Self::Program | Self::Unknown => None,
        }
    }
}

const OLE_SIGNATURE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

pub(super) fn sniff(head: &[u8]) -> Sniffed {
    if head.get(4..11) == Some(b"ftyp3gp") {
        return Sniffed::Known("video/3gpp");
    }
    if head.starts_with(OLE_SIGNATURE) {
        // Which of them it is stands far behind the beginning.
        return Sniffed::Ole;
    }
    let Some(found) = infer::get(head) else {
        return unsigned(head);
    };
    match (found.matcher_type(), found.mime_type()) {
        (MatcherType::App, _) | (_, "text/x-shellscript") => Sniffed::Program,
        (_, "application/zip") => Sniffed::Zip,
        // A page is text here: it is served as such and never shown.
        (MatcherType::Text, _) => unsigned(head),
        (_, "audio/m4a") => Sniffed::Known("audio/mp4"),
        (_, "audio/opus") => Sniffed::Known("audio/ogg"),
        (_, mime) => Sniffed::Known(mime),
    }
}

fn unsigned(head: &[u8]) -> Sniffed {
    // The last character may be cut.
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Sniffed::Unknown,
    };
    let is_text = |character: char| !character.is_control() || "\t\n\r\u{c}".contains(character);
    if !whole.is_empty() && whole.chars().all(is_text) {
        Sniffed::Text
    } else {
        Sniffed::Unknown
    }
}

/// Whether a WebP picture moves: the flag in the header of its extended form.
pub(super) fn is_animated(head: &[u8]) -> bool {
    const ANIMATION: u8 = 0b10;
    head.get(12..16) == Some(b"VP8X") && head.get(20).is_some_and(|flags| flags & ANIMATION != 0)
}
