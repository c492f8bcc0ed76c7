//! For tests only: real servers, a database per test, request helpers.

pub mod authority;
pub mod browser;
pub mod database;
pub mod loopback;
pub mod mail_server;
pub mod name_server;
#[cfg(target_os = "linux")]
pub mod network;
pub mod object_store;
pub mod program;
pub mod relay;
pub mod resolver;
