//! The rows of vantage points as they stand in the tables.

pub mod vantage_point {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vantage_point")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub name: String,
        pub operator: Option<String>,
        pub region: String,
        pub country: String,
        pub city: String,
        pub latitude_tenths: i64,
        pub longitude_tenths: i64,
        pub network: String,
        pub asn: Option<i64>,
        pub ipv4: bool,
        pub ipv6: bool,
        pub token_hash: String,
        pub created_at_us: i64,
        pub token_at_us: i64,
        pub revoked_at_us: Option<i64>,
        pub data_owner: Option<String>,
        pub licence: Option<String>,
        pub tlp: Option<String>,
        pub legal_basis: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod vantage_state {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "vantage_state")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub vantage_point: String,
        pub contact_at_us: Option<i64>,
        pub version: String,
        pub clock_offset_us: Option<i64>,
        pub round_trip_us: Option<i64>,
        pub spool_parts: i64,
        pub spool_bytes: i64,
        pub oldest_part_at_us: Option<i64>,
        pub dropped_samples: i64,
        pub parts: i64,
        pub samples: i64,
        pub newest_sample_at_us: Option<i64>,
        pub asked: i64,
        pub answered: i64,
        pub udp_median_us: Option<i64>,
        pub refused_parts: i64,
        pub refused_at_us: Option<i64>,
        pub refused_reason: Option<String>,
        pub lost_packets: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
