//! For tests only: real servers, a database per test, request helpers.

pub mod database;
