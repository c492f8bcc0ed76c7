//! The map of the world by region, drawn by us as dots: a picture beside the table that says the same in words.
//!
//! The five regions are those of ICANN; Russia counts to Europe there, the Middle East to Asia, Mexico to Latin America.

use std::fmt::Write;

use model::Health;

use crate::health::{glyph, tone};

/// One letter for each dot: N North America, L Latin America and the Caribbean, E Europe, F Africa, A Asia and Pacific.
const DOTS: [&str; 23] = [
    "..........NNN.EEE............E...E.EEE........",
    "...NNN.NNNNNN.EEE.......E..EEEEEEEEEEEEEEEE...",
    ".NNNNNNNNNNNN..EE..E...EE.EEEEEEEEEEEEEEEEEEE.",
    "..NNNNNNNNNNN......E..EEE.EEEEEEEEEEEEEEEEE.E.",
    "......NNNNNN.NN......E.EEEEEEEEEEEEEEEEEEE....",
    "......NNNNNNNNN.....EEEEEEEEEEAAAAAAAAAAEE.A..",
    ".......NNNNNNN......EEEEEEAAEAAAAAAAAAAAA.AA..",
    ".......NNNNNN........EE.EEAAAAAAAAAAAAAA.AA...",
    "........NNNNN.......E...E.AAAAAAAAAAAAAA.A....",
    "........LLL.N......FFFFFFAAAAAAAAAAAAAAA......",
    ".........LL.L.....FFFFFFFFAAAA.AAAA.AAA.......",
    "..........LLL.LL..FFFFFFFFAAA...AA..AA..A.....",
    "...........LL.....FFFFFFFFF.....A....AA.A.....",
    ".............LLL....FFFFFFFFF.........A.A.....",
    "............LLLLLL.....FFFFF.........A.AAA....",
    "............LLLLLLL....FFFFF..........AA.AAA..",
    ".............LLLLLL....FFFF.F...........A.....",
    ".............LLLLL......FFF.F..........AAAA...",
    "..............LLL.......FFF...........AAAAAA..",
    "..............LLL........F............AAAAAA..",
    "..............LL........................AA..A.",
    "..............L............................A..",
    "..............L...............................",
];

/// Region code, its letter in the picture, and where its mark stands.
const REGIONS: [(&str, u8, (u32, u32)); 5] = [
    ("AF", b'F', (225, 125)),
    ("AP", b'A', (335, 85)),
    ("EU", b'E', (285, 32)),
    ("LAC", b'L', (152, 158)),
    ("NA", b'N', (95, 45)),
];

/// Width and height of the picture in its own units.
const SIZE: (u32, u32) = (470, 240);

/// The SVG with `label` for those who hear it; `healths` by region code.
pub(super) fn draw(label: &str, healths: &[(String, Health)]) -> String {
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{label}\">",
        SIZE.0, SIZE.1
    );
    let health_of = |code: &str| {
        healths
            .iter()
            .find(|(region, _)| region == code)
            .map_or(Health::Unknown, |(_, health)| *health)
    };
    for (code, letter, _) in REGIONS {
        // A region in order stays grey: the eye shall go to what is not.
        let class = match health_of(code) {
            Health::Impaired => " warn",
            Health::Broken => " bad",
            Health::Good | Health::Unknown => "",
        };
        let _ = write!(svg, "<path class=\"land{class}\" d=\"{}\"/>", land(letter));
    }
    for (code, _, (x, y)) in REGIONS {
        let health = health_of(code);
        let _ = write!(
            svg,
            "<g class=\"badge {}\" transform=\"translate({x} {y})\"><circle r=\"13\"/><path d=\"{}\"/></g>",
            tone(health),
            glyph(health)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// The dots of one region: each run of a row is one stroke, dashed into dots by the style sheet.
fn land(letter: u8) -> String {
    let mut path = String::new();
    for (row, dots) in DOTS.iter().enumerate() {
        let dots = dots.as_bytes();
        let mut at = 0;
        while at < dots.len() {
            let run = dots[at..].iter().take_while(|dot| **dot == letter).count();
            if run > 0 {
                let (x, y) = (at * 10 + 5 + row % 2 * 5, row * 10 + 10);
                let _ = write!(path, "M{x} {y}h{}.1", (run - 1) * 10);
            }
            at += run.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_as_wide_as_the_picture_and_every_region_has_land() {
        assert!(DOTS.iter().all(|row| row.len() == DOTS[0].len()));
        assert!(DOTS.len() * 10 < SIZE.1 as usize && DOTS[0].len() * 10 < SIZE.0 as usize);
        assert!(REGIONS.iter().all(|(_, letter, _)| !land(*letter).is_empty()));
    }

    #[test]
    fn the_picture_weighs_little_and_marks_each_region_by_shape_not_by_colour_alone() {
        let svg = draw(
            "map",
            &[("EU".to_owned(), Health::Broken), ("AF".to_owned(), Health::Good)],
        );
        assert!(svg.len() < 6_000, "{}", svg.len());
        assert!(
            svg.contains(glyph(Health::Broken))
                && svg.contains(glyph(Health::Good))
                && svg.contains(glyph(Health::Unknown))
        );
    }
}
