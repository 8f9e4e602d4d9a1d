//! Which files WhatsApp has, and whether one is what it was said to be.

mod sniff;

use proto::messaging::v1::MediaKind;

use self::sniff::Sniffed;

/// Why a file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// WhatsApp has it no more.
    Gone,
    /// It has more bytes than it may.
    TooLarge,
    /// Its bytes are not what it was said to be.
    TypeRefused,
    /// WhatsApp did not hand it out in time.
    Unreachable,
    /// Nobody uploaded it.
    Abandoned,
}

impl Problem {
    /// As it is stored and shown.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::TooLarge => "too_large",
            Self::TypeRefused => "type_refused",
            Self::Unreachable => "unreachable",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From a customer, through WhatsApp.
    Inbound,
    /// From the organization.
    Outbound,
}

/// The stored word of a kind; `None` for none.
pub(crate) const fn word(kind: MediaKind) -> Option<&'static str> {
    Some(match kind {
        MediaKind::Unspecified => return None,
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
        MediaKind::Document => "document",
        MediaKind::Sticker => "sticker",
    })
}

/// The kind of a stored word.
pub(crate) fn kind(word: &str) -> MediaKind {
    match word {
        "image" => MediaKind::Image,
        "video" => MediaKind::Video,
        "audio" => MediaKind::Audio,
        "document" => MediaKind::Document,
        "sticker" => MediaKind::Sticker,
        _ => MediaKind::Unspecified,
    }
}

const MIB: u64 = 1024 * 1024;
/// Meta: a webhook's media has at most 100 MB, of whatever kind.
const INBOUND_BYTES: u64 = 100 * MIB;
const STATIC_STICKER_BYTES: u64 = 100 * 1024;
const ANIMATED_STICKER_BYTES: u64 = 500 * 1024;

/// The most bytes a file may have (Meta, "Supported media types", read in November 2025).
pub(crate) const fn limit(kind: MediaKind, direction: Direction) -> u64 {
    match (direction, kind) {
        (Direction::Inbound, _) | (_, MediaKind::Document | MediaKind::Unspecified) => {
            INBOUND_BYTES
        }
        (_, MediaKind::Image) => 5 * MIB,
        (_, MediaKind::Audio | MediaKind::Video) => 16 * MIB,
        (_, MediaKind::Sticker) => ANIMATED_STICKER_BYTES,
    }
}

const PDF: &str = "application/pdf";
const TEXT: &str = "text/plain";
const ANYTHING: &str = "application/octet-stream";
/// Documents in the container of the older Office.
const OLE: [&str; 3] = [
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
];
/// Documents in the container of the newer one.
const ZIP: [&str; 3] = [
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
];

/// What Meta takes as each kind (the same page); documents apart.
const fn listed(kind: MediaKind) -> &'static [&'static str] {
    match kind {
        MediaKind::Image => &["image/jpeg", "image/png"],
        MediaKind::Sticker => &["image/webp"],
        MediaKind::Audio => &[
            "audio/aac",
            "audio/amr",
            "audio/mpeg",
            "audio/mp4",
            "audio/ogg",
        ],
        MediaKind::Video => &["video/mp4", "video/3gpp"],
        MediaKind::Document | MediaKind::Unspecified => &[],
    }
}

/// The file's type, from its first bytes and what the sender says of it; [`Problem`] when the two don't fit, or when
/// it is no file of its kind. What customers send is taken a little wider than what may be sent to them: WhatsApp let
/// it through.
pub(crate) fn examine(
    kind: MediaKind,
    direction: Direction,
    head: &[u8],
    size_bytes: u64,
    claimed: &str,
) -> Result<&'static str, Problem> {
    if size_bytes > limit(kind, direction) {
        return Err(Problem::TooLarge);
    }
    let sniffed = sniff::sniff(head);
    let found = match kind {
        MediaKind::Document | MediaKind::Unspecified => {
            return document(direction, sniffed, claimed);
        }
        MediaKind::Audio => sound(sniffed),
        MediaKind::Image | MediaKind::Video | MediaKind::Sticker => sniffed.mime(),
    };
    let found = found.ok_or(Problem::TypeRefused)?;
    let family = |prefix: &str| direction == Direction::Inbound && found.starts_with(prefix);
    let fits = match kind {
        MediaKind::Image => family("image/"),
        MediaKind::Video => family("video/"),
        MediaKind::Audio => family("audio/"),
        _ => false,
    };
    if !fits && !listed(kind).contains(&found) {
        return Err(Problem::TypeRefused);
    }
    let small = direction == Direction::Inbound || sniff::is_animated(head);
    if kind == MediaKind::Sticker && !small && size_bytes > STATIC_STICKER_BYTES {
        return Err(Problem::TooLarge);
    }
    Ok(found)
}

/// Sound may come in the container of films.
fn sound(sniffed: Sniffed) -> Option<&'static str> {
    Some(match sniffed.mime()? {
        "video/mp4" => "audio/mp4",
        "video/3gpp" => "audio/3gpp",
        other => other,
    })
}

/// What is said to be of a type that can be known must be of it. Programs are never taken.
fn document(
    direction: Direction,
    sniffed: Sniffed,
    claimed: &str,
) -> Result<&'static str, Problem> {
    let claimed = essence(claimed);
    let claimed_of = |types: &[&'static str]| types.iter().copied().find(|known| *known == claimed);
    if sniffed == Sniffed::Program {
        return Err(Problem::TypeRefused);
    }
    if let Some(office) = claimed_of(&OLE) {
        let fits = sniffed == Sniffed::Ole;
        return fits.then_some(office).ok_or(Problem::TypeRefused);
    }
    if let Some(office) = claimed_of(&ZIP) {
        let fits = sniffed == Sniffed::Zip || sniffed.mime() == Some(office);
        return fits.then_some(office).ok_or(Problem::TypeRefused);
    }
    let found = match sniffed {
        Sniffed::Text => TEXT,
        Sniffed::Known(found) => found,
        Sniffed::Zip => "application/zip",
        Sniffed::Ole | Sniffed::Unknown | Sniffed::Program => ANYTHING,
    };
    let is_listed = |mime: &str| mime == PDF || OLE.contains(&mime) || ZIP.contains(&mime);
    if claimed == PDF && found != PDF {
        return Err(Problem::TypeRefused);
    }
    if direction == Direction::Outbound && !is_listed(found) && found != TEXT {
        return Err(Problem::TypeRefused);
    }
    Ok(found)
}

/// `audio/ogg; codecs=opus` is `audio/ogg`.
fn essence(mime_type: &str) -> String {
    let essence = mime_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Types that a browser may show in place: nothing that can carry a script.
pub(crate) fn shows_inline(mime_type: &str) -> bool {
    const SHOWN: [&str; 12] = [
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "video/mp4",
        "video/3gpp",
        "audio/aac",
        "audio/amr",
        "audio/mpeg",
        "audio/mp4",
        "audio/3gpp",
        "audio/ogg",
    ];
    SHOWN.contains(&mime_type)
}

#[cfg(test)]
mod tests;
