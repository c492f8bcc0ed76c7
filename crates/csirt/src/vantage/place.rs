//! Where a vantage point stands, as those who run it say.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::directory::Region;

/// A place, to within some ten kilometres: what figures need, and no more than its operator wants known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The region that it counts to.
    pub region: Region,
    /// Country (ISO 3166-1 alpha-2, upper case).
    pub country: String,
    /// City.
    pub city: String,
    /// Coordinates.
    pub coordinates: Coordinates,
}

impl Place {
    /// The place in canonical form. Fails with `Invalid`.
    pub(super) fn checked(self) -> Result<Self, Error> {
        let country = self.country.trim().to_ascii_uppercase();
        if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Err(Error::invalid("country", "it must be two letters (ISO 3166-1)"));
        }
        let city = self.city.trim().to_owned();
        if city.is_empty() || city.chars().count() > 80 || city.chars().any(char::is_control) {
            return Err(Error::invalid("city", "it must be 1 to 80 characters on one line"));
        }
        Ok(Self { country, city, ..self })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} ({}; {})",
            self.city, self.country, self.region, self.coordinates
        )
    }
}

/// Latitude and longitude, kept as tenths of a degree (WGS 84): no rounding hides more than was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coordinates {
    latitude_tenths: i16,
    longitude_tenths: i16,
}

/// Numbers or a text that are no coordinates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not LATITUDE,LONGITUDE in degrees (-90 to 90, -180 to 180)")]
pub struct CoordinatesError(String);

impl Coordinates {
    /// Coordinates from degrees, rounded to a tenth.
    pub fn of(latitude: f64, longitude: f64) -> Result<Self, CoordinatesError> {
        let wrong = || CoordinatesError(format!("{latitude},{longitude}"));
        let is_in = |degrees: f64, most: f64| degrees.is_finite() && degrees.abs() <= most;
        if !is_in(latitude, 90.0) || !is_in(longitude, 180.0) {
            return Err(wrong());
        }
        Self::from_tenths((latitude * 10.0).round() as i64, (longitude * 10.0).round() as i64).map_err(|_| wrong())
    }

    pub(super) fn from_tenths(latitude: i64, longitude: i64) -> Result<Self, CoordinatesError> {
        let wrong = || CoordinatesError(format!("{latitude}/10,{longitude}/10"));
        if latitude.abs() > 900 || longitude.abs() > 1800 {
            return Err(wrong());
        }
        Ok(Self {
            latitude_tenths: i16::try_from(latitude).map_err(|_| wrong())?,
            longitude_tenths: i16::try_from(longitude).map_err(|_| wrong())?,
        })
    }

    /// Latitude in tenths of a degree, north positive.
    pub fn latitude_tenths(self) -> i16 {
        self.latitude_tenths
    }

    /// Longitude in tenths of a degree, east positive.
    pub fn longitude_tenths(self) -> i16 {
        self.longitude_tenths
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = |tenths: i16| f64::from(tenths) / 10.0;
        write!(
            f,
            "{:.1},{:.1}",
            degrees(self.latitude_tenths),
            degrees(self.longitude_tenths)
        )
    }
}

impl FromStr for Coordinates {
    type Err = CoordinatesError;

    /// `50.1,8.7`, degrees with a point.
    fn from_str(text: &str) -> Result<Self, CoordinatesError> {
        let wrong = || CoordinatesError(text.chars().take(80).collect());
        let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
        let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        Self::of(degrees(latitude)?, degrees(longitude)?).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn coordinates_are_rounded_to_a_tenth_of_a_degree() {
        for (text, printed) in [
            ("50.1109,8.6821", "50.1,8.7"),
            ("-33.87, 151.21", "-33.9,151.2"),
            ("0,-0.04", "0.0,0.0"),
            ("90,-180", "90.0,-180.0"),
        ] {
            assert_eq!(text.parse::<Coordinates>().unwrap().to_string(), printed);
        }
        for wrong in ["", "50.1", "91,0", "0,180.1", "NaN,0", "a,b", "1e400,0"] {
            let told = wrong.parse::<Coordinates>().unwrap_err().to_string();
            assert!(told.contains(&format!("`{wrong}`")), "{told}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_coordinates_or_an_error(text in ".{0,30}") {
            if let Ok(coordinates) = text.parse::<Coordinates>() {
                prop_assert_eq!(coordinates.to_string().parse::<Coordinates>(), Ok(coordinates));
            }
        }
    }
}
