//! Mailboxes and mails as they stand in the tables.

pub mod mailbox {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mailbox")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub uid_validity: Option<i64>,
        pub last_uid: Option<i64>,
        pub fetched_at_us: Option<i64>,
        pub failing_since_us: Option<i64>,
        pub error: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod mail {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mail")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub mailbox: String,
        pub uid_validity: i64,
        pub uid: i64,
        pub kind: String,
        pub digest: String,
        pub message_id: Option<String>,
        pub sender: String,
        pub from_party: bool,
        pub subject: String,
        pub text: String,
        pub attachments: String,
        pub reason: Option<String>,
        pub size: i64,
        pub taken_at_us: i64,
        pub marked: bool,
        pub request_id: Option<String>,
        pub notice_id: Option<String>,
        pub report_id: Option<String>,
        pub first_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod octets {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mail_octets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub mail_id: String,
        pub octets: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
