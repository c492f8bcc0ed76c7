//! The portal and the JSON API: one file per page or action; decides nothing.
//!
//! A handler takes the page's surroundings ([`Page`]: language, reader, texts), asks `csirt` or `lake`, and shows a
//! template. Every page is complete without JavaScript, needs no outside resource and weighs at most 50 KB with its
//! style sheet. The room `shell` holds what all pages share; each other folder is one room of the portal.

pub mod about;
pub mod account;
pub mod alerts;
pub mod answer;
pub mod api;
pub mod app;
pub mod cases;
pub mod centre;
pub mod charts;
pub mod condition;
pub mod directory;
mod download;
pub mod health;
pub mod live;
pub mod mail;
pub mod operators;
pub mod organisation;
pub mod paging;
pub mod passive;
pub mod report;
pub mod servers;
pub mod shell;
pub mod signin;
pub mod status;
pub mod vantage;
pub mod zones;

pub use app::{App, MailboxSettings, Settings, router};
pub use condition::{Condition, Conditions};
pub use shell::{Errors, Page, Posted, WebError};
