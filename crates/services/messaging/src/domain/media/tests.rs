use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
const GIF: &[u8] = b"GIF89a\x01\0\x01\0";
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
const M4A: &[u8] = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42";
const THREE_GP: &[u8] = b"\0\0\0\x18ftyp3gp4\0\0\0\0";
const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead";
const FILE_PDF: &[u8] = b"%PDF-1.7\n%";
const FILE_ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0";
const FILE_OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0";
const PROGRAM: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const STICKER: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0";
const MOVING_STICKER: &[u8] = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0";

fn sent(kind: MediaKind, head: &[u8], claimed: &str) -> Result<&'static str, Problem> {
    examine(kind, Direction::Outbound, head, 1, claimed)
}

fn received(kind: MediaKind, head: &[u8], claimed: &str) -> Result<&'static str, Problem> {
    examine(kind, Direction::Inbound, head, 1, claimed)
}

#[test]
fn a_file_is_what_its_bytes_say_not_its_sender() {
    assert_eq!(sent(MediaKind::Image, PNG, "image/jpeg"), Ok("image/png"));
    assert_eq!(sent(MediaKind::Image, JPEG, ""), Ok("image/jpeg"));
    assert_eq!(sent(MediaKind::Video, MP4, ""), Ok("video/mp4"));
    assert_eq!(sent(MediaKind::Video, THREE_GP, ""), Ok("video/3gpp"));
    let opus = "audio/ogg; codecs=opus";
    assert_eq!(received(MediaKind::Audio, OGG, opus), Ok("audio/ogg"));
    assert_eq!(sent(MediaKind::Audio, M4A, "audio/mp4"), Ok("audio/mp4"));
    assert_eq!(sent(MediaKind::Audio, MP4, "audio/mp4"), Ok("audio/mp4"));
    assert_eq!(sent(MediaKind::Document, FILE_PDF, PDF), Ok(PDF));
    assert_eq!(sent(MediaKind::Document, b"a;b\n", "text/csv"), Ok(TEXT));
}

#[test]
fn a_file_of_another_kind_is_refused() {
    for (kind, head) in [
        (MediaKind::Image, MP4),
        (MediaKind::Image, b"<svg onload='x'>".as_slice()),
        (MediaKind::Video, JPEG),
        (MediaKind::Audio, PNG),
        (MediaKind::Sticker, PNG),
        (MediaKind::Image, b"".as_slice()),
    ] {
        assert_eq!(
            received(kind, head, "image/jpeg"),
            Err(Problem::TypeRefused)
        );
        assert_eq!(sent(kind, head, "image/jpeg"), Err(Problem::TypeRefused));
    }
}

#[test]
fn what_customers_send_is_taken_wider_than_what_whatsapp_takes() {
    assert_eq!(received(MediaKind::Image, GIF, ""), Ok("image/gif"));
    assert_eq!(sent(MediaKind::Image, GIF, ""), Err(Problem::TypeRefused));
    let archive = "application/zip";
    assert_eq!(
        received(MediaKind::Document, FILE_ZIP, archive),
        Ok(archive)
    );
    let refused = sent(MediaKind::Document, FILE_ZIP, archive);
    assert_eq!(refused, Err(Problem::TypeRefused));
    assert_eq!(received(MediaKind::Document, b"\0\x01", ""), Ok(ANYTHING));
}

#[test]
fn an_office_document_has_the_container_of_its_type() {
    for (claimed, right, wrong) in [(OLE[0], FILE_OLE, FILE_ZIP), (ZIP[1], FILE_ZIP, FILE_OLE)] {
        assert_eq!(sent(MediaKind::Document, right, claimed), Ok(claimed));
        for other in [wrong, PNG, b"text".as_slice()] {
            let refused = sent(MediaKind::Document, other, claimed);
            assert_eq!(refused, Err(Problem::TypeRefused));
        }
    }
}

#[test]
fn a_program_is_never_taken_whatever_it_is_called() {
    for claimed in ["", PDF, ANYTHING, "application/x-executable"] {
        let refused = received(MediaKind::Document, PROGRAM, claimed);
        assert_eq!(refused, Err(Problem::TypeRefused), "{claimed}");
    }
}

#[test]
fn the_limit_is_that_of_the_kind_and_customers_have_the_largest() {
    let size = |kind, direction, head, bytes| examine(kind, direction, head, bytes, "").is_ok();
    let out = Direction::Outbound;
    assert!(size(MediaKind::Image, out, PNG, 5 * MIB));
    assert!(!size(MediaKind::Image, out, PNG, 5 * MIB + 1));
    assert!(size(MediaKind::Image, Direction::Inbound, PNG, 5 * MIB + 1));
    assert!(!size(
        MediaKind::Image,
        Direction::Inbound,
        PNG,
        100 * MIB + 1
    ));
    assert!(size(MediaKind::Sticker, out, STICKER, 100 * 1024));
    assert!(!size(MediaKind::Sticker, out, STICKER, 100 * 1024 + 1));
    assert!(size(MediaKind::Sticker, out, MOVING_STICKER, 500 * 1024));
    assert!(!size(
        MediaKind::Sticker,
        out,
        MOVING_STICKER,
        500 * 1024 + 1
    ));
}

#[test]
fn nothing_that_can_carry_a_script_is_shown_in_place() {
    for shown in listed(MediaKind::Image) {
        assert!(shows_inline(shown));
    }
    for other in [
        PDF,
        TEXT,
        ANYTHING,
        "image/svg+xml",
        "text/html",
        "text/xml",
    ] {
        assert!(!shows_inline(other), "{other}");
    }
}

#[test]
fn kinds_have_one_word_each() {
    for number in 1..=5 {
        let of = MediaKind::try_from(number).expect("a kind");
        assert_eq!(kind(word(of).expect("a word")), of);
    }
}
