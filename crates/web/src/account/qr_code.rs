//! A QR code (ISO/IEC 18004) as SVG, for the camera of a telephone.

use askama::filters::Safe;
use qrcode::{Color, EcLevel, QrCode};

use crate::shell::markup::escape;

/// Light modules that must be left around it (ISO/IEC 18004 §9.1).
const QUIET: usize = 4;

/// Draws `text` as a picture that says `label` to those who do not see it. `None` where it is too long for a QR code.
///
/// Black on white in every colour scheme: many cameras do not read it the other way. One path with a stroke for each run
/// of dark modules, some 6 KB.
pub(super) fn draw(text: &str, label: &str) -> Option<Safe<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (row, line) in modules.chunks(width).enumerate() {
        let mut column = 0;
        for run in line.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                path.push_str(&format!("M{} {}h{}", column + QUIET, row + QUIET, run.len()));
            }
            column += run.len();
        }
    }
    Some(Safe(format!(
        "<svg class=\"chart qr\" width=\"240\" height=\"240\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path stroke=\"#000\" d=\"{path}\" transform=\"translate(0 .5)\"/></svg>",
        escape(label)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the path of an SVG as pixels, `scale` to a module, and reads it as a camera does.
    fn seen(svg: &str, scale: usize) -> String {
        let side: usize = svg
            .split("viewBox=\"0 0 ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut dark = vec![false; side * side];
        let path = svg
            .split("stroke=\"#000\" d=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        for run in path.split('M').skip(1) {
            let (at, length) = run.split_once('h').unwrap();
            let (column, row) = at.split_once(' ').unwrap();
            let begin = row.parse::<usize>().unwrap() * side + column.parse::<usize>().unwrap();
            dark[begin..begin + length.parse::<usize>().unwrap()].fill(true);
        }
        let pixel = |x: usize, y: usize| if dark[y / scale * side + x / scale] { 0 } else { 255 };
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side * scale, side * scale, pixel);
        let codes = picture.detect_grids();
        assert_eq!(codes.len(), 1);
        codes[0].decode().unwrap().1
    }

    #[test]
    fn a_camera_reads_what_was_drawn() {
        for name in [
            "ada",
            "амина@нис.example",
            "a-name-of-sixty-four-letters-which-is-the-longest-that-there-can-be",
        ] {
            let url = format!(
                "otpauth://totp/Example%20DNS-CERT:{name}?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Example%20DNS-CERT"
            );
            let svg = draw(&url, "Picture of the key").unwrap().0;
            assert_eq!(seen(&svg, 3), url);
            assert!(svg.len() < 12_000, "{} octets", svg.len());
            assert!(!svg.contains("style="), "the policy of the portal forbids it");
        }
    }

    #[test]
    fn what_is_too_long_is_not_drawn_and_a_label_is_escaped() {
        assert!(draw(&"x".repeat(3000), "").is_none());
        assert!(draw("x", "<\"&").unwrap().0.contains("aria-label=\"&lt;&#34;&amp;\""));
    }
}
