//! The five roles and what each may do: one table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person is to the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation; may do everything.
    Admin,
    /// On shift: works alerts and cases, keeps the directory and the watch list.
    DutyOfficer,
    /// An expert of another organisation who helps in a crisis: works on cases, decides nothing for the centre.
    Augmenter,
    /// Belongs to an organisation of the directory and sees what concerns it.
    Constituent,
    /// Looks on, for oversight: sees the work without people's contact data, changes nothing.
    Observer,
}

impl Role {
    /// All roles, widest first.
    pub const ALL: [Role; 5] = [
        Role::Admin,
        Role::DutyOfficer,
        Role::Augmenter,
        Role::Constituent,
        Role::Observer,
    ];

    /// The word in tables, URLs and JSON: `duty_officer`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::DutyOfficer => "duty_officer",
            Role::Augmenter => "augmenter",
            Role::Constituent => "constituent",
            Role::Observer => "observer",
        }
    }

    /// Whether this role may do it: the one table of rights (`capability_table` shows it whole).
    pub fn may(self, capability: Capability) -> bool {
        use Capability as C;
        match self {
            Role::Admin => true,
            Role::DutyOfficer => capability != C::ManageAccounts,
            Role::Augmenter => {
                matches!(
                    capability,
                    C::SeeAlerts | C::SeeCases | C::WorkCases | C::SeeDirectory | C::SeeWatchList
                )
            }
            Role::Constituent => matches!(
                capability,
                C::SeeOwnOrganisation | C::EditOwnOrganisation | C::AnnounceOwnChange
            ),
            Role::Observer => {
                matches!(capability, C::SeeAlerts | C::SeeCases | C::SeeWatchList | C::SeeFigures)
            }
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; roles are admin, duty_officer, augmenter, constituent, observer")]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| RoleError(text.to_owned()))
    }
}

/// One right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// See the alert queue and the reports in it.
    SeeAlerts,
    /// Dismiss an alert.
    DismissAlerts,
    /// See cases with their requests and evidence.
    SeeCases,
    /// Open a case, add notes and alerts, prepare and send requests.
    WorkCases,
    /// Close a case, overrule a verification, revoke a link.
    DecideCases,
    /// See the directory with people's contact data, and routes.
    SeeDirectory,
    /// Change, verify and import the directory.
    EditDirectory,
    /// Take the whole directory away as a file.
    ExportDirectory,
    /// See the entry of one's own organisation and the requests to it.
    SeeOwnOrganisation,
    /// Change the entry of one's own organisation.
    EditOwnOrganisation,
    /// Announce a change for a zone of one's own organisation.
    AnnounceOwnChange,
    /// See the watch list and the state of zones behind the public page.
    SeeWatchList,
    /// Change the watch list and announce changes for any zone.
    EditWatchList,
    /// See the centre's figures.
    SeeFigures,
    /// See the audit chain, the queue of jobs and the health of the installation.
    SeeCentre,
    /// Make, change and switch off accounts.
    ManageAccounts,
}

impl Capability {
    /// All rights, in the order of the table.
    pub const ALL: [Capability; 16] = [
        Capability::SeeAlerts,
        Capability::DismissAlerts,
        Capability::SeeCases,
        Capability::WorkCases,
        Capability::DecideCases,
        Capability::SeeDirectory,
        Capability::EditDirectory,
        Capability::ExportDirectory,
        Capability::SeeOwnOrganisation,
        Capability::EditOwnOrganisation,
        Capability::AnnounceOwnChange,
        Capability::SeeWatchList,
        Capability::EditWatchList,
        Capability::SeeFigures,
        Capability::SeeCentre,
        Capability::ManageAccounts,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability_table() -> String {
        let mut table = format!("{:<20}", "");
        Role::ALL.iter().for_each(|role| table.push_str(&format!("{role:<14}")));
        for capability in Capability::ALL {
            table.push_str(&format!("\n{:<20}", format!("{capability:?}")));
            for role in Role::ALL {
                table.push_str(&format!("{:<14}", if role.may(capability) { "yes" } else { "-" }));
            }
        }
        table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_table_of_rights_is_as_agreed() {
        insta::assert_snapshot!(capability_table(), @r"
                            admin         duty_officer  augmenter     constituent   observer
        SeeAlerts           yes           yes           yes           -             yes
        DismissAlerts       yes           yes           -             -             -
        SeeCases            yes           yes           yes           -             yes
        WorkCases           yes           yes           yes           -             -
        DecideCases         yes           yes           -             -             -
        SeeDirectory        yes           yes           yes           -             -
        EditDirectory       yes           yes           -             -             -
        ExportDirectory     yes           yes           -             -             -
        SeeOwnOrganisation  yes           yes           -             yes           -
        EditOwnOrganisation yes           yes           -             yes           -
        AnnounceOwnChange   yes           yes           -             yes           -
        SeeWatchList        yes           yes           yes           -             yes
        EditWatchList       yes           yes           -             -             -
        SeeFigures          yes           yes           -             -             yes
        SeeCentre           yes           yes           -             -             -
        ManageAccounts      yes           -             -             -             -
        ");
    }

    #[test]
    fn roles_read_and_print_the_same() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("root".parse::<Role>().is_err());
    }
}
