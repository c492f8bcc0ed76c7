//! Under which what a sensor hears may be used.

use std::fmt;

use model::Tlp;

use crate::Error;

/// Longest of the texts in characters.
const LONGEST: usize = 200;

/// Whose data a sensor gives, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whose data it is.
    pub owner: String,
    /// Under which licence or agreement it is used.
    pub licence: String,
    /// How far it may travel.
    pub tlp: Tlp,
    /// The law or contract that allows it to be processed.
    pub legal_basis: String,
}

impl Terms {
    /// The terms without blanks around the texts. Fails with `Invalid` where one is empty, long, or has a line break.
    pub(super) fn checked(self) -> Result<Self, Error> {
        let text = |field: &'static str, text: String| {
            let text = text.trim().to_owned();
            let is_good = (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            match is_good {
                true => Ok(text),
                false => Err(Error::invalid(
                    field,
                    format!("it must be 1 to {LONGEST} characters on one line"),
                )),
            }
        };
        Ok(Self {
            owner: text("owner", self.owner)?,
            licence: text("licence", self.licence)?,
            tlp: self.tlp,
            legal_basis: text("legal_basis", self.legal_basis)?,
        })
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            owner,
            licence,
            tlp,
            legal_basis,
        } = self;
        write!(f, "{owner}; {licence}; {tlp}; {legal_basis}")
    }
}
