//! The portal as its readers meet it: each request goes through the whole router, in process, on records in a file.

mod api;
mod forms;
mod hostile;
mod html;
mod link;
mod pages;
mod rooms;
mod world;
