//! The team's records and rules: directory, intake, alerts, cases, requests, notices, accounts, audit, jobs; the only room that knows SQL.
