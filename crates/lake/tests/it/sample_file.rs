//! A Parquet file of samples with their answers, as others read it.

use std::fs::{self, File};
use std::path::Path;

use lake::SampleFile;
use model::{AnswerRecord, AnsweredSample};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use crate::story::{at, sample};

fn answered(zone: &str, rdata: &[&str]) -> AnsweredSample {
    let record = |rdata: &&str| AnswerRecord {
        rrname: zone.parse().unwrap(),
        rrtype: "A".to_owned(),
        ttl_secs: 300,
        rdata: (*rdata).to_owned(),
    };
    AnsweredSample {
        sample: sample(zone, at(0)),
        answers: rdata.iter().map(record).collect(),
        malformed: false,
    }
}

/// Each row as a text of its columns.
fn rows(path: &Path) -> Vec<Vec<(String, Field)>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns()).collect()
}

fn column<'a>(row: &'a [(String, Field)], name: &str) -> &'a Field {
    let found = row.iter().find(|(column, _)| column == name);
    &found.unwrap_or_else(|| panic!("no column `{name}`")).1
}

#[test]
fn others_read_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.parquet");
    let mut file = SampleFile::create(&path).unwrap();
    file.append(&[
        answered("shop.example", &["192.0.2.1", "192.0.2.2"]),
        answered("bank.example", &[]),
    ])
    .unwrap();
    file.append(&[]).unwrap();
    let broken = AnsweredSample {
        malformed: true,
        ..answered("last.example", &["192.0.2.3"])
    };
    file.append(&[broken]).unwrap();
    assert!(!path.exists(), "it has its name when it is whole");
    assert_eq!(file.finish().unwrap(), 3);

    let rows = rows(&path);
    let texts = |name: &str| -> Vec<String> { rows.iter().map(|row| column(row, name).to_string()).collect() };
    assert_eq!(
        texts("qname"),
        ["\"shop.example\"", "\"bank.example\"", "\"last.example\""],
        "in the order given"
    );
    assert_eq!(
        texts("answers"),
        [
            "[{rrname: \"shop.example\", rrtype: \"A\", ttl_secs: 300, rdata: \"192.0.2.1\"}, \
             {rrname: \"shop.example\", rrtype: \"A\", ttl_secs: 300, rdata: \"192.0.2.2\"}]",
            "[]",
            "[{rrname: \"last.example\", rrtype: \"A\", ttl_secs: 300, rdata: \"192.0.2.3\"}]",
        ]
    );
    assert_eq!(texts("malformed"), ["false", "false", "true"]);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["sweep.parquet"]);
}

#[test]
fn a_file_takes_the_place_of_an_older_one_only_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.parquet");
    let write = |zone: &str| {
        let mut file = SampleFile::create(&path).unwrap();
        file.append(&[answered(zone, &[])]).unwrap();
        file
    };
    write("old.example").finish().unwrap();
    drop(write("never.example"));
    assert_eq!(column(&rows(&path)[0], "qname").to_string(), "\"old.example\"");
    write("new.example").finish().unwrap();
    assert_eq!(column(&rows(&path)[0], "qname").to_string(), "\"new.example\"");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let Err(error) = SampleFile::create(Path::new("/nowhere/sweep.parquet")) else {
        panic!("there is no such folder");
    };
    assert_eq!(error.to_string(), "cannot write `/nowhere/sweep.parquet.part`");
}
