//! The rows of the watch list as they stand in the tables.

pub mod watched_zone {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "watched_zone")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub zone: String,
        pub expected: Option<String>,
        pub interval_secs: i64,
        pub region: Option<String>,
        pub organisation: Option<String>,
        pub enabled: bool,
        pub created_at_us: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod zone_state {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "zone_state")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub watched_zone: String,
        pub at_us: i64,
        pub worst: Option<String>,
        pub findings: String,
        pub seen: Option<String>,
        pub servers: String,
        pub detectors: String,
        pub failures: i64,
        pub untestable: Option<String>,
        pub changed_at_us: i64,
        pub health: String,
        pub secured: Option<bool>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod announcement {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "announcement")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub zone: String,
        pub from_at_us: i64,
        pub until_at_us: i64,
        pub expected: Option<String>,
        pub announced_by: String,
        pub actor: String,
        pub note: String,
        pub created_at_us: i64,
        pub withdrawn_at_us: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
