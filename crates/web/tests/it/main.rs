//! The portal as its readers meet it: each request goes through the whole router, in process, on records in a file.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once and say where"
)]

mod api;
mod forms;
mod hostile;
mod html;
mod link;
mod live;
mod mail;
mod operators;
mod over_time;
mod pages;
mod passive;
mod passive_access;
mod probe;
mod rooms;
mod second_factor;
mod world;
