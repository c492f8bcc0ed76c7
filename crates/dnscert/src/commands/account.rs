//! `dnscert account add|list|disable|passive|reset`: who may sign in, and what each may see of passive DNS.

use std::process::ExitCode;

use anyhow::Context as _;
use csirt::accounts::{self, Account, NewAccount, PassiveAccess, Role};
use csirt::{Actor, Records, directory};
use model::{Id, Language};
use rand::RngExt as _;

use crate::cli::{AccountCommand, LookUps};

/// Letters of a password that is read aloud or typed from paper: none that look alike.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Makes, lists, or changes accounts.
pub async fn run(command: AccountCommand) -> anyhow::Result<ExitCode> {
    match command {
        AccountCommand::Add {
            name,
            role,
            organisation,
            config,
        } => {
            let (config, records) = super::open_records(&config.config).await?;
            let organisation = match organisation {
                Some(handle) => Some(organisation_of(&records, &handle).await?),
                None => None,
            };
            let password = new_password();
            let account = NewAccount {
                organisation,
                time_zone: config.centre.time_zone,
                ..new_account(&name, role, &password)
            };
            create(&records, account).await?;
            println!("account   {name} ({role})\npassword  {password}");
        }
        AccountCommand::List { config } => {
            let (_, records) = super::open_records(&config.config).await?;
            for account in accounts::list(&records).await.context("listing the accounts")? {
                let state = match (account.disabled, account.totp) {
                    (Some(since), _) => format!("off since {since:.0}"),
                    (None, true) => "second factor".to_owned(),
                    (None, false) => "password only".to_owned(),
                };
                println!("{:<32} {:<14} {state}", account.name, account.role);
            }
        }
        AccountCommand::Disable { name, config } => {
            let (_, records) = super::open_records(&config.config).await?;
            let account = find(&records, &name).await?;
            accounts::disable(&records, Actor::System, account.id)
                .await
                .with_context(|| format!("disabling `{name}`"))?;
            println!("{name} can no longer sign in");
        }
        AccountCommand::Passive {
            name,
            tlp,
            sources,
            quota,
            config,
        } => {
            let (_, records) = super::open_records(&config.config).await?;
            let account = find(&records, &name).await?.id;
            let old = accounts::passive_access(&records, account).await;
            let old = old.with_context(|| format!("reading what `{name}` may see"))?;
            let access = PassiveAccess {
                tlp: tlp.unwrap_or(old.tlp),
                sources: match sources {
                    None => old.sources.clone(),
                    Some(all) if all == ["all"] => None,
                    Some(sources) => Some(sources),
                },
                quota: quota.map_or(old.quota, |LookUps(quota)| quota),
            };
            if access != old {
                accounts::set_passive_access(&records, Actor::System, account, &access)
                    .await
                    .with_context(|| format!("setting what `{name}` may see"))?;
            }
            let sources = access.sources.map_or("all".to_owned(), |sources| sources.join(", "));
            let allowance = accounts::allowance(&records, account).await;
            let quota = match allowance.with_context(|| format!("reading the quota of `{name}`"))? {
                Some(left) => format!("{} a day, {} left until {:.0}", left.quota, left.remaining, left.resets),
                None => "unlimited".to_owned(),
            };
            println!(
                "account   {name}\ntlp       {}\nsources   {sources}\nlook-ups  {quota}",
                access.tlp
            );
        }
        AccountCommand::Reset { name, config } => {
            let (_, records) = super::open_records(&config.config).await?;
            let account = find(&records, &name).await?;
            let password = new_password();
            accounts::set_password(&records, Actor::System, account.id, &password)
                .await
                .with_context(|| format!("setting the password of `{name}`"))?;
            if account.totp {
                accounts::remove_totp(&records, Actor::System, account.id)
                    .await
                    .with_context(|| format!("removing the second factor of `{name}`"))?;
            }
            println!("account   {name}\npassword  {password}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(records: &Records, name: &str) -> anyhow::Result<Account> {
    let found = accounts::by_name(records, name).await.context("reading the accounts")?;
    found.with_context(|| format!("there is no account `{name}`"))
}

async fn organisation_of(records: &Records, handle: &str) -> anyhow::Result<Id<directory::Organisation>> {
    let found = directory::by_handle(records, handle)
        .await
        .context("reading the directory")?;
    Ok(found
        .with_context(|| format!("the directory has no organisation `{handle}`"))?
        .id)
}

/// An account of the team that can sign in at once.
pub fn new_account(name: &str, role: Role, password: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        display_name: name.split('@').next().unwrap_or(name).to_owned(),
        email: if name.contains('@') {
            name.to_owned()
        } else {
            format!("{name}@localhost")
        },
        role,
        organisation: None,
        language: Language::English,
        time_zone: "UTC".to_owned(),
        password: password.to_owned(),
    }
}

/// Makes the account.
pub async fn create(records: &Records, new: NewAccount) -> anyhow::Result<Account> {
    let name = new.name.clone();
    accounts::create(records, Actor::System, new)
        .await
        .with_context(|| format!("making the account `{name}`"))
}

/// Five groups of four letters: about 99 bits.
pub fn new_password() -> String {
    let mut random = rand::rng();
    let groups: Vec<String> = (0..5)
        .map(|_| {
            (0..4)
                .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
                .collect()
        })
        .collect();
    groups.join("-")
}
