//! Asks the DNS: transports, inquiry, delegation walk, test catalogue, DNSSEC; never sees a database.
