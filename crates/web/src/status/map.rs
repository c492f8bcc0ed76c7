//! The map of the world by region, drawn by us as dots: a picture beside the table that says the same in words.
//!
//! The five regions are those of ICANN; Russia counts to Europe there, the Middle East to Asia, Mexico to Latin America.

use std::fmt::Write;

use csirt::vantage::Coordinates;
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

/// Vantage points that are drawn at most: a map of five hundred rings shows nothing.
const MOST_POINTS: usize = 60;

/// The SVG with `label` for those who hear it; `healths` by region code, and a ring where each vantage point stands.
pub(super) fn draw(label: &str, healths: &[(String, Health)], points: &[Coordinates]) -> String {
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
    for (x, y) in points.iter().take(MOST_POINTS).map(|point| place(*point)) {
        let _ = write!(
            svg,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"/>"
        );
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

/// Where coordinates lie in the picture: degrees in straight lines, from 78° north at the top to 55° south, cut off at its edge.
fn place(point: Coordinates) -> (i32, i32) {
    let (width, height) = (i32::try_from(SIZE.0).unwrap_or(0), i32::try_from(SIZE.1).unwrap_or(0));
    let x = (i32::from(point.longitude_tenths()) + 1800) * width / 3600;
    let y = 10 + (780 - i32::from(point.latitude_tenths())) * 220 / 1330;
    (x.clamp(5, width - 5), y.clamp(5, height - 5))
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
            &[],
        );
        assert!(svg.len() < 6_000, "{}", svg.len());
        assert!(
            svg.contains(glyph(Health::Broken))
                && svg.contains(glyph(Health::Good))
                && svg.contains(glyph(Health::Unknown))
        );
    }

    #[test]
    fn a_ring_lies_on_the_land_of_its_region() {
        for (coordinates, region) in [
            ("50.1,8.7", 'E'),
            ("-1.3,36.8", 'F'),
            ("35.7,139.7", 'A'),
            ("-23.5,-46.6", 'L'),
            ("40.7,-90.0", 'N'),
            ("-33.9,151.2", 'A'),
        ] {
            let (x, y) = place(coordinates.parse().unwrap());
            let near = |row: i32| {
                let row = usize::try_from(row).unwrap();
                let column = usize::try_from((x - 5) / 10).unwrap();
                let dots = DOTS[row.min(DOTS.len() - 1)];
                dots[column.saturating_sub(2)..(column + 3).min(dots.len())].contains(region)
            };
            let row = (y - 10) / 10;
            assert!((row - 1..=row + 1).any(near), "{coordinates} lies at {x},{y}");
        }
        let many = vec!["0,0".parse().unwrap(); 500];
        assert!(draw("map", &[], &many).len() < 12_000);
        assert_eq!(
            place("-90,180".parse().unwrap()),
            (465, 235),
            "the poles lie on the edge"
        );
    }
}
