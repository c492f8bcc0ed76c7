//! docs/sql.md says what is so: each view and column, and the answers of its queries about the lake of these tests.

use std::fs;
use std::path::Path;

use query::{FOR_PEOPLE, VIEWS};

use crate::story::{furnished, table};

pub fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sql.md")).unwrap()
}

/// The queries, each with the answer below it.
pub fn worked(document: &str) -> Vec<(&str, &str)> {
    let queries = document.split("\n```sql\n").skip(1);
    let parts = queries.map(|rest| {
        let (query, rest) = rest.split_once("\n```\n").unwrap();
        let answer = rest.trim_start().strip_prefix("```text\n").unwrap();
        (query, answer.split_once("```").unwrap().0)
    });
    parts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worked_queries_have_the_answers_that_stand_below_them() {
    let (_folder, engine) = furnished().await;
    let document = document();
    let worked = worked(&document);
    assert_eq!(worked.len(), 12);
    let mut wrong = String::new();
    for (query, answer) in worked {
        let found = table(&engine, query).await;
        if found != answer {
            wrong.push_str(&format!("{query}\n\n{found}\n"));
        }
    }
    assert!(wrong.is_empty(), "other answers than documented:\n\n{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_is_documented_in_the_program_and_in_the_document() {
    let (_folder, engine) = furnished().await;
    let document = document();
    for view in VIEWS {
        let answer = engine
            .ask(&format!("SELECT * FROM {} LIMIT 0", view.name))
            .await
            .unwrap();
        let schema = answer.schema();
        let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let told: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
        assert_eq!(found, told, "{}", view.name);

        let heading = format!("\n### `{}`\n\n{}.\n\n", view.name, view.about);
        let section = document.split_once(&heading).map(|(_, rest)| rest);
        let section = section
            .unwrap_or_else(|| panic!("docs/sql.md lacks{heading}"))
            .split("\n#")
            .next()
            .unwrap();
        let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = schema
            .fields()
            .iter()
            .zip(view.columns)
            .map(|(field, column)| format!("| `{}` | {} | {} |", column.name, kind(field.data_type()), column.about))
            .collect();
        assert_eq!(rows, expected, "{}\n{}", view.name, expected.join("\n"));
    }
    for function in FOR_PEOPLE {
        let line = format!("| `{}` | {} |", function.call, function.about);
        assert!(document.contains(&line), "docs/sql.md lacks {line}");
    }
}

/// A type in the words of the document.
fn kind(kind: &datafusion::arrow::datatypes::DataType) -> &'static str {
    use datafusion::arrow::datatypes::DataType;
    match kind {
        DataType::Utf8 => "text",
        DataType::List(_) => "list of texts",
        DataType::Binary => "octets",
        DataType::Int32 | DataType::Int64 => "integer",
        DataType::Boolean => "boolean",
        DataType::Timestamp(_, Some(_)) => "time",
        other => panic!("{other}"),
    }
}
