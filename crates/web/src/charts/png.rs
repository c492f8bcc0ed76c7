//! A drawing of few colours as PNG (ISO/IEC 15948:2004), for documents that take no SVG. The only letters it can draw are those of
//! times, which look alike in all six languages; what is said in words goes into the file's own title and description.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Columns and rows of a letter, without the gap to the next.
const LETTER: (usize, usize) = (5, 7);

/// A picture whose pixels are numbers of colours.
pub struct Raster {
    width: usize,
    height: usize,
    /// Pixels to a unit of length.
    scale: usize,
    pixels: Vec<u8>,
}

impl Raster {
    /// A picture of so many units, `scale` pixels each, all of colour 0.
    pub fn new(width: usize, height: usize, scale: usize) -> Self {
        let (width, height) = (width * scale, height * scale);
        Self {
            width,
            height,
            scale,
            pixels: vec![0; width * height],
        }
    }

    /// Fills a rectangle, in units from the left upper corner. What lies outside of the picture is left out.
    pub fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: u8) {
        let scale = self.scale;
        self.fill_pixels((x * scale, y * scale), (width * scale, height * scale), colour);
    }

    fn fill_pixels(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: u8) {
        let (left, right) = (x.min(self.width), (x + width).min(self.width));
        for row in y..(y + height).min(self.height) {
            self.pixels[row * self.width + left..row * self.width + right].fill(colour);
        }
    }

    /// The outline of a rectangle as a broken line, so that it is told from a filled one without its colour.
    pub fn outline(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: u8) {
        for along in (0..width).filter(|along| along % 4 < 2) {
            self.fill((x + along, y), (1, 1), colour);
            self.fill((x + along, y + height - 1), (1, 1), colour);
        }
        for along in (0..height).filter(|along| along % 4 < 2) {
            self.fill((x, y + along), (1, 1), colour);
            self.fill((x + width - 1, y + along), (1, 1), colour);
        }
    }

    /// A cross over a square of `size` units, two units thick.
    pub fn cross(&mut self, (x, y): (usize, usize), size: usize, colour: u8) {
        let (scale, last) = (self.scale, size * self.scale);
        for along in 0..last {
            let row = y * scale + along;
            for column in [along, last - 1 - along] {
                self.fill_pixels((x * scale + column, row), (2 * scale, 1), colour);
            }
        }
    }

    /// Width of a text in units.
    pub fn text_width(text: &str) -> usize {
        text.chars().count() * (LETTER.0 + 1)
    }

    /// A text of digits, hyphens and colons with its left upper corner there; other characters are blank.
    pub fn text(&mut self, (x, y): (usize, usize), text: &str, colour: u8) {
        for (place, letter) in text.chars().enumerate() {
            for (row, bits) in rows(letter).into_iter().enumerate() {
                for column in (0..LETTER.0).filter(|column| bits >> (LETTER.0 - 1 - column) & 1 == 1) {
                    self.fill((x + place * (LETTER.0 + 1) + column, y + row), (1, 1), colour);
                }
            }
        }
    }

    /// The file. `colours` are red, green and blue by number; `words` are keywords of PNG with their texts.
    pub fn png(&self, colours: &[[u8; 3]], words: &[(&str, &str)]) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        let length = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
        // 8 bits for a pixel, its colour by number; deflate; no filter; not interlaced
        let header = [&length(self.width)[..], &length(self.height)[..], &[8, 3, 0, 0, 0]].concat();
        chunk(&mut file, b"IHDR", &header);
        chunk(&mut file, b"PLTE", colours.as_flattened());
        for (keyword, text) in words {
            let text = [keyword.as_bytes(), b"\0\0\0\0\0", text.as_bytes()].concat();
            chunk(&mut file, b"iTXt", &text);
        }
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        for row in self.pixels.chunks(self.width.max(1)) {
            let written = packed.write_all(&[0]).and_then(|()| packed.write_all(row));
            written.expect("memory takes what is written");
        }
        chunk(
            &mut file,
            b"IDAT",
            &packed.finish().expect("memory takes what is written"),
        );
        chunk(&mut file, b"IEND", &[]);
        file
    }
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}

/// The rows of a letter from the top, each with its columns as bits, the leftmost the highest.
fn rows(letter: char) -> [u8; LETTER.1] {
    match letter {
        '0' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b01110, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110],
        '-' => [0, 0, 0, 0b01110, 0, 0, 0],
        ':' => [0, 0b00100, 0b00100, 0, 0b00100, 0b00100, 0],
        _ => [0; LETTER.1],
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;

    /// The chunks of a file with their kinds, each held against its checksum.
    fn chunks(file: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let mut found = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            let (kind, data) = (&rest[4..8], &rest[8..8 + length]);
            let mut crc = Crc::new();
            crc.update(&rest[4..8 + length]);
            assert_eq!(rest[8 + length..12 + length], crc.sum().to_be_bytes());
            found.push((String::from_utf8(kind.to_vec()).unwrap(), data.to_vec()));
            rest = &rest[12 + length..];
        }
        found
    }

    #[test]
    fn a_file_has_the_chunks_of_the_standard_and_every_pixel_its_colour() {
        let mut raster = Raster::new(4, 2, 2);
        raster.fill((1, 0), (2, 1), 1);
        raster.fill((3, 1), (9, 9), 2);
        let file = raster.png(&[[255, 255, 255], [0, 128, 0], [128, 0, 0]], &[("Title", "概要")]);
        let chunks = chunks(&file);
        let kinds: Vec<&str> = chunks.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["IHDR", "PLTE", "iTXt", "IDAT", "IEND"]);
        assert_eq!(chunks[0].1, [0, 0, 0, 8, 0, 0, 0, 4, 8, 3, 0, 0, 0]);
        assert_eq!(chunks[1].1, [255, 255, 255, 0, 128, 0, 128, 0, 0]);
        assert_eq!(chunks[2].1, "Title\0\0\0\0\0概要".as_bytes());
        let mut rows = Vec::new();
        ZlibDecoder::new(&chunks[3].1[..]).read_to_end(&mut rows).unwrap();
        let above = [0, 0, 0, 1, 1, 1, 1, 0, 0];
        let below = [0, 0, 0, 0, 0, 0, 0, 2, 2];
        assert_eq!(rows, [above, above, below, below].concat());
    }

    #[test]
    fn a_time_is_drawn_in_letters_that_all_differ() {
        let drawn = |letter: char| {
            let mut raster = Raster::new(6, 7, 1);
            raster.text((0, 0), &letter.to_string(), 1);
            raster.pixels
        };
        let letters = "0123456789-:";
        let pictures: std::collections::BTreeSet<Vec<u8>> = letters.chars().map(drawn).collect();
        assert_eq!(pictures.len(), letters.len());
        assert!(
            drawn('é').iter().all(|pixel| *pixel == 0),
            "what it cannot draw is blank"
        );
        assert_eq!(Raster::text_width("10:00"), 30);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut raster = Raster::new(3, 3, 2);
        raster.cross((2, 2), 6, 1);
        raster.outline((0, 0), (9, 9), 2);
        raster.text((2, 2), "88:88", 3);
        assert_eq!(raster.pixels.len(), 36);
    }
}
