//! `dnscert account`: who may sign in.

use clap::Subcommand;

use super::ConfigArg;

/// `dnscert account`.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account; its password is shown once.
    Add {
        /// What is typed to sign in.
        name: String,
        /// admin, duty_officer, augmenter, constituent or observer.
        #[arg(long, default_value = "duty_officer")]
        role: csirt::accounts::Role,
        /// Handle of its organisation in the directory; a constituent must have one.
        #[arg(long)]
        organisation: Option<String>,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// List all accounts.
    List {
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Switch an account off; it stays in the records.
    Disable {
        /// What is typed to sign in.
        name: String,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Set what an account may see of passive DNS, by its keys and on its page; show it.
    Passive {
        /// What is typed to sign in.
        name: String,
        /// Sources of this label and of wider ones; TLP:AMBER+STRICT at most.
        #[arg(long, value_name = "TLP")]
        tlp: Option<model::Tlp>,
        /// Only these sources, divided by commas; `all` for all.
        #[arg(long, value_name = "SOURCES", value_delimiter = ',')]
        sources: Option<Vec<String>>,
        /// Look-ups a day, from midnight UTC; `unlimited` for any number.
        #[arg(long, value_name = "NUMBER")]
        quota: Option<LookUps>,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Give an account a new password, which is shown once, and take its second factor away.
    Reset {
        /// What is typed to sign in.
        name: String,
        /// Which centre.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Look-ups a day.
#[derive(Debug, Clone, Copy)]
pub struct LookUps(pub Option<u32>);

impl std::str::FromStr for LookUps {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "unlimited" => Ok(Self(None)),
            number => number.parse().map(|number| Self(Some(number))),
        }
    }
}
