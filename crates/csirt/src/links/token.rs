//! The secret in a link: 256 random bits, shown once, kept only as a hash.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A token as it stands in the link: 43 letters of base64url (RFC 4648 §5, no padding).
///
/// Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// A text that has not the form of a token. Does not repeat the text: it may be a secret with one letter lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is not complete: its last part has not the form of a token")]
pub struct TokenError;

impl Token {
    /// A new token.
    pub fn new(random: &mut impl rand::Rng) -> Self {
        let mut bits = [0; 32];
        random.fill_bytes(&mut bits);
        Self(bits)
    }

    /// What is kept of it: SHA-256 of the 32 octets in hexadecimal. The token has full entropy, so no salt and no slow
    /// hash are needed, and a look-up by hash tells an attacker nothing by its timing.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Space around it and punctuation that mail programs pull into links do not count.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim().trim_end_matches(['.', ',', ';', ')', '>', ']', '"', '\'']);
        if text.len() != 43 {
            return Err(TokenError);
        }
        let octets = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
        octets.try_into().map(Self).map_err(|_| TokenError)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_token_reads_back_and_its_hash_does_not_show_it() {
        let token = Token::new(&mut rand::rngs::StdRng::seed_from_u64(7));
        let text = token.to_string();
        assert_eq!(text.len(), 43);
        assert_eq!(text.parse::<Token>().unwrap(), token);
        assert_eq!(format!(" {text}.").parse::<Token>().unwrap(), token);
        assert_eq!(token.hash().len(), 64);
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn a_token_that_lost_a_letter_is_refused() {
        let token = Token::new(&mut rand::rngs::StdRng::seed_from_u64(7)).to_string();
        assert_eq!(token[1..].parse::<Token>(), Err(TokenError));
        assert_eq!("".parse::<Token>(), Err(TokenError));
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_an_error(text in ".{0,60}|[A-Za-z0-9_-]{43}") {
            if let Ok(token) = text.parse::<Token>() {
                prop_assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
            }
        }
    }
}
