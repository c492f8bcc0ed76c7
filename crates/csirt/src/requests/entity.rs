//! Parties, requests and verdicts as they stand in the tables.

pub mod party {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "party")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub case_id: String,
        pub organisation_id: Option<String>,
        pub name: String,
        pub addresses: String,
        pub language: String,
        pub time_zone: String,
        pub because: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod request {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub case_id: String,
        pub number: i64,
        pub party_id: String,
        pub ask: String,
        pub zone: String,
        pub check_json: String,
        pub language: String,
        pub deadline_at_us: i64,
        pub state: String,
        pub state_at_us: i64,
        pub created_at_us: i64,
        pub notified_at_us: Option<i64>,
        pub acknowledged_at_us: Option<i64>,
        pub done_at_us: Option<i64>,
        pub verified_at_us: Option<i64>,
        pub reminders: i64,
        pub reminded_at_us: Option<i64>,
        pub overruled: Option<String>,
        pub verdict: Option<String>,
        pub call_me: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod verdict {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "request_verdict")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub request_id: String,
        pub at_us: i64,
        pub last_at_us: i64,
        pub repeats: i64,
        pub state: String,
        pub verdict: String,
        pub evidence: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
