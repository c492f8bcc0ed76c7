//! `docs/dnsviz.md`: every code of dnsviz has its tag here, and a test that shows it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use measure::Profile;
use testkit::program::are_installed;

/// The rows of the table: code, tag and test, without the marks of code.
fn rows() -> Vec<[String; 3]> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dnsviz.md");
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| code"));
    lines
        .map(|line| {
            let mut cells = line
                .trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().replace('`', ""));
            [(); 3].map(|()| cells.next().unwrap_or_default())
        })
        .collect()
}

#[test]
fn every_tag_in_the_table_is_known_and_every_test_exists() {
    let profile = Profile::default();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    let rows = rows();
    assert!(rows.len() >= 158, "{} rows", rows.len());
    for [code, tag, test] in rows {
        let is_left_out = tag.starts_with("none: ");
        assert_eq!(is_left_out, test.is_empty(), "{code}");
        if is_left_out {
            continue;
        }
        assert!(
            profile.messages().any(|(_, known)| known == tag),
            "{code}: no tag {tag}"
        );
        let (module, function) = test.rsplit_once("::").unwrap();
        let file = format!("{}.rs", module.replace("::", "/"));
        let source = sources
            .entry(file.clone())
            .or_insert_with(|| std::fs::read_to_string(here.join(&file)).unwrap());
        assert!(source.contains(&format!("fn {function}()")), "{code}: no test {test}");
        assert!(
            source.contains(&tag),
            "{code}: `{tag}` does not stand in the file of the test {test}"
        );
    }
}

/// Prints the codes of the dnsviz that is installed, one a line.
const CODES: &str = "
import dnsviz.analysis.errors as errors
def below(kind):
    for one in kind.__subclasses__():
        yield one
        yield from below(one)
print('\\n'.join(sorted({one.code for one in below(errors.DomainNameAnalysisError) if one.code})))
";

#[test]
fn no_code_of_the_installed_dnsviz_is_missing_from_the_table() {
    if !are_installed(&["/usr/bin/dnsviz"]).unwrap() {
        return;
    }
    let output = Command::new("/usr/bin/python3").args(["-c", CODES]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let codes: Vec<&str> = listed.lines().collect();
    assert!(
        codes.len() > 130,
        "{codes:?}, {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rows = rows();
    for code in codes {
        assert!(rows.iter().any(|[known, ..]| known == code), "{code} is missing");
    }
}
