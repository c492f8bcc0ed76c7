//! resolver03 and resolver06: how hard its questions are to guess (RFC 5452): source ports, message ids, and letters.

use model::Transport;

use super::Gathered;
use crate::authority::seen::Seen;
use crate::cases::Emission;

/// Questions that it takes to judge. DNS-OARC's porttest took 26; below this the deviation says little.
const ENOUGH: usize = 10;

/// How well numbers of 16 bits are spread: the scale of DNS-OARC's porttest (2008-07-28) by their standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// 3980 and more: 13.75 bits and more.
    Great,
    /// 296 to 3980: 10 to 13.75 bits.
    Good,
    /// Below 296: less than 10 bits.
    Poor,
}

impl Randomness {
    /// The place of a standard deviation on the scale.
    pub fn of(deviation: f64) -> Self {
        match deviation {
            3980.0.. => Randomness::Great,
            296.0.. => Randomness::Good,
            _ => Randomness::Poor,
        }
    }
}

/// Standard deviation of a sample.
pub fn deviation(numbers: &[u16]) -> f64 {
    if numbers.len() < 2 {
        return 0.0;
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().map(|number| f64::from(*number)).sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (f64::from(*number) - mean).powi(2)).sum();
    (squares / (count - 1.0)).sqrt()
}

/// resolver03: source ports and message ids are spread over all there are.
pub(super) fn resolver03(gathered: &Gathered) -> Vec<Emission> {
    let Some(seen) = &gathered.seen else { return Vec::new() };
    let by_udp: Vec<&Seen> = seen.iter().filter(|seen| seen.transport == Transport::Udp).collect();
    if by_udp.len() < ENOUGH {
        let few = Emission::new("R03_TOO_FEW")
            .arg("count", by_udp.len())
            .arg("wanted", ENOUGH);
        return vec![few.arg("resolver", gathered.resolver)];
    }
    let ports: Vec<u16> = by_udp.iter().map(|seen| seen.from.port()).collect();
    let ids: Vec<u16> = by_udp.iter().map(|seen| seen.id).collect();
    let judge = |numbers: &[u16], tags: [&'static str; 3]| {
        let deviation = deviation(numbers);
        let tag = match Randomness::of(deviation) {
            Randomness::Great => tags[0],
            Randomness::Good => tags[1],
            Randomness::Poor => tags[2],
        };
        Emission::new(tag)
            .arg("deviation", format!("{deviation:.0}"))
            .arg("count", numbers.len())
            .arg("resolver", gathered.resolver)
    };
    vec![
        judge(&ports, ["R03_PORTS_GREAT", "R03_PORTS_GOOD", "R03_PORTS_POOR"]),
        judge(&ids, ["R03_IDS_GREAT", "R03_IDS_GOOD", "R03_IDS_POOR"]),
    ]
}

/// resolver06: whether it mixes upper and lower case, which makes its questions harder to guess
/// (draft-vixie-dnsext-dns0x20). Ours are in lower case.
pub(super) fn resolver06(gathered: &Gathered) -> Vec<Emission> {
    let Some(seen) = gathered.seen.as_ref().filter(|seen| !seen.is_empty()) else {
        return Vec::new();
    };
    let is_mixed = seen
        .iter()
        .any(|seen| seen.name.bytes().any(|octet| octet.is_ascii_uppercase()));
    let tag = if is_mixed { "R06_MIXES_CASE" } else { "R06_KEEPS_CASE" };
    vec![Emission::new(tag).arg("resolver", gathered.resolver)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_that_of_porttest() {
        for (deviation, expected) in [
            (18_900.0, Randomness::Great),
            (3_980.0, Randomness::Great),
            (3_979.9, Randomness::Good),
            (296.0, Randomness::Good),
            (295.9, Randomness::Poor),
            (0.0, Randomness::Poor),
        ] {
            assert_eq!(Randomness::of(deviation), expected, "{deviation}");
        }
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(deviation(&[]), 0.0);
        assert_eq!(deviation(&[5]), 0.0);
        assert_eq!(deviation(&[53; 26]), 0.0);
        assert!((deviation(&[2, 4, 4, 4, 5, 5, 7, 9]) - 2.138).abs() < 0.001);
        // numbers spread evenly over all 16 bits: their span by the root of twelve
        let even: Vec<u16> = (0..=u16::MAX).collect();
        assert!((deviation(&even) - 18_918.8).abs() < 0.1);
    }
}
