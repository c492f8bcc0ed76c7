//! The portal and the JSON API: one file per page or action; decides nothing.
