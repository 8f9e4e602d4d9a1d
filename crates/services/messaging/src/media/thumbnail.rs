//! Small pictures.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageReader, Limits, RgbaImage, codecs::jpeg::JpegEncoder, imageops,
};

/// The longer side, in pixels: twice what an inbox shows.
const SIDE: u32 = 320;
const QUALITY: u8 = 78;
/// A picture of a few bytes may say that it is as large as a house.
const MOST_PIXELS: u64 = 40_000_000;
const LONGEST_SIDE: u32 = 16_000;
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// Larger files get no thumbnail.
pub(crate) const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A small picture of a large one.
#[derive(Debug)]
pub(crate) struct Thumbnail {
    pub(crate) jpeg: Vec<u8>,
    /// Of the large one, as it is shown.
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Makes one; for a blocking thread. `None` for what can't be decoded within the limits: such a file is kept, without.
pub(crate) fn make(bytes: &[u8]) -> Option<Thumbnail> {
    let picture = decode(bytes).ok().flatten()?;
    let small = flatten(&picture.thumbnail(SIDE, SIDE));
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    small.write_with_encoder(encoder).ok()?;
    Some(Thumbnail {
        jpeg,
        width: picture.width(),
        height: picture.height(),
    })
}

fn decode(bytes: &[u8]) -> image::ImageResult<Option<DynamicImage>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY / 2 {
        return Ok(None);
    }
    // Phones turn the note about the picture rather than the picture.
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(Some(picture))
}

/// JPEG has no transparency: white shines through.
fn flatten(picture: &DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.to_rgb8());
    }
    let white = image::Rgba([255; 4]);
    let mut ground = RgbaImage::from_pixel(picture.width(), picture.height(), white);
    imageops::overlay(&mut ground, &picture.to_rgba8(), 0, 0);
    DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(ground).to_rgb8())
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbaImage::from_pixel(width, height, image::Rgba([200, 0, 0, 0]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(picture)
            .write_to(&mut bytes, ImageFormat::Png)
            .expect("a PNG");
        bytes.into_inner()
    }

    #[test]
    fn a_picture_becomes_a_small_one_of_the_same_shape() {
        let thumbnail = make(&png(1_000, 500)).expect("a thumbnail");
        assert_eq!((thumbnail.width, thumbnail.height), (1_000, 500));
        let small = image::load_from_memory_with_format(&thumbnail.jpeg, ImageFormat::Jpeg);
        let small = small.expect("a JPEG");
        assert_eq!((small.width(), small.height()), (320, 160));
        let corner = small.to_rgb8().get_pixel(0, 0).0;
        assert!(
            corner.iter().all(|part| *part > 250),
            "transparent is white"
        );
    }

    #[test]
    fn what_says_to_be_huge_is_not_decoded() {
        // The header of a lossless WebP: 14 bits for each side less one.
        let side = 15_000_u32 - 1;
        let mut huge = b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f".to_vec();
        huge.extend((side | side << 14).to_le_bytes());
        huge.extend([0; 12]);
        assert!(matches!(decode(&huge), Ok(None)));
    }

    #[test]
    fn what_is_broken_gets_none() {
        let whole = png(50, 50);
        assert!(make(&whole[..whole.len() / 2]).is_none());
        assert!(make(b"").is_none());
        assert!(make(b"\x89PNG\r\n\x1a\n").is_none());
    }
}
