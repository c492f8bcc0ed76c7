//! The grammar by examples, and properties of the reader.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<SpfRecord, SpfError> {
    text.parse()
}

#[test]
fn records_that_follow_the_grammar_are_read() {
    for text in [
        "v=spf1",
        "V=SPF1 -ALL",
        "v=spf1   a    -all  ",
        "v=spf1 a mx ptr ?all",
        "v=spf1 +a/24 -mx//64 ~a/24//64 a//0 a/0",
        "v=spf1 a:mail.example.test/28//96 mx:example.test. ptr:example.test",
        "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 ip6:2001:db8::/32 ip6:::ffff:192.0.2.1 -all",
        "v=spf1 include:_spf.example.test include:%{d} include:%{d2r.-}._spf.example.test ~all",
        "v=spf1 exists:%{ir}.%{v}._spf.%{D2} exists:%{l1r+-}._at_.%{o}.example.x--y -all",
        "v=spf1 a:foo:bar/baz.example.test/24 -all",
        "v=spf1 a:%%%_%- -all",
        "v=spf1 redirect=_spf.example.test exp=why.%{d}",
        "v=spf1 -all moo.cow-far_out=man:dog/cat x=%{c}%{r}%{t} y= default=pass",
    ] {
        assert_eq!(read(text).map(|_| ()), Ok(()), "{text}");
    }
}

#[test]
fn the_first_term_that_is_wrong_is_named() {
    for (text, term) in [
        ("v=spf10 a", "v=spf10"),
        (" v=spf1", ""),
        ("spf1 -all", "spf1"),
        ("v=spf1 amx-all", "amx-all"),
        ("v=spf1 a\tmx -all", "a\tmx"),
        ("v=spf1 -all.", "-all."),
        ("v=spf1 -all:example.test", "-all:example.test"),
        ("v=spf1 all/8", "all/8"),
        ("v=spf1 --all", "--all"),
        ("v=spf1 - all", "-"),
        ("v=spf1 a b", "b"),
        ("v=spf1 include", "include"),
        ("v=spf1 include: -all", "include:"),
        ("v=spf1 include:test", "include:test"),
        ("v=spf1 include:test.", "include:test."),
        ("v=spf1 include:example.test/24", "include:example.test/24"),
        ("v=spf1 exists", "exists"),
        ("v=spf1 exists/24", "exists/24"),
        ("v=spf1 a:", "a:"),
        ("v=spf1 a/", "a/"),
        ("v=spf1 a//", "a//"),
        ("v=spf1 a/33", "a/33"),
        ("v=spf1 a//129", "a//129"),
        ("v=spf1 a/032", "a/032"),
        ("v=spf1 a/24/64", "a/24/64"),
        ("v=spf1 a/99999999999999999999", "a/99999999999999999999"),
        ("v=spf1 mx/-1", "mx/-1"),
        ("v=spf1 a:192.0.2.1", "a:192.0.2.1"),
        ("v=spf1 a:example.-test", "a:example.-test"),
        ("v=spf1 a:example..", "a:example.."),
        ("v=spf1 a:%{d}test", "a:%{d}test"),
        ("v=spf1 ptr/24", "ptr/24"),
        ("v=spf1 ip4", "ip4"),
        ("v=spf1 ip4:192.0.2", "ip4:192.0.2"),
        ("v=spf1 ip4:192.0.2.01", "ip4:192.0.2.01"),
        ("v=spf1 ip4:192.0.2.0/33", "ip4:192.0.2.0/33"),
        ("v=spf1 ip4:192.0.2.0//32", "ip4:192.0.2.0//32"),
        ("v=spf1 ip4:192.0.2.0/+8", "ip4:192.0.2.0/+8"),
        ("v=spf1 ip4:2001:db8::1", "ip4:2001:db8::1"),
        ("v=spf1 ip6:192.0.2.1", "ip6:192.0.2.1"),
        ("v=spf1 ip6:2001:db8::/129", "ip6:2001:db8::/129"),
        ("v=spf1 ip6:2001:db8::%eth0", "ip6:2001:db8::%eth0"),
        ("v=spf1 redirect=", "redirect="),
        ("v=spf1 redirect:example.test", "redirect:example.test"),
        ("v=spf1 exp=a.test exp=b.test", "exp=b.test"),
        ("v=spf1 redirect=a.test REDIRECT=b.test", "REDIRECT=b.test"),
        ("v=spf1 =x", "=x"),
        ("v=spf1 1=x", "1=x"),
        ("v=spf1 x=%abc", "x=%abc"),
        ("v=spf1 exists:%{x}.example.test", "exists:%{x}.example.test"),
        ("v=spf1 exists:%{t}.example.test", "exists:%{t}.example.test"),
        ("v=spf1 exists:%{d0}.example.test", "exists:%{d0}.example.test"),
        ("v=spf1 exists:%{dr2}.example.test", "exists:%{dr2}.example.test"),
        ("v=spf1 exists:%{d.example.test", "exists:%{d.example.test"),
        ("v=spf1 exists:%{}.example.test", "exists:%{}.example.test"),
        ("v=spf1 a:ex\u{e4}mple.test", "a:ex\u{e4}mple.test"),
    ] {
        assert_eq!(read(text).map_err(|error| error.term), Err(term.to_owned()), "{text}");
    }
}

#[test]
fn only_a_lone_minus_all_passes_nobody() {
    for (text, is_null) in [
        ("v=spf1 -all", true),
        ("v=SPF1  -ALL ", true),
        ("v=spf1 ~all", false),
        ("v=spf1", false),
        ("v=spf1 a -all", false),
        ("v=spf1 -all exp=why.example.test", false),
    ] {
        assert_eq!(read(text).unwrap().is_null(), is_null, "{text}");
    }
}

#[test]
fn a_text_is_known_by_its_version_alone() {
    for (text, expected) in [
        (&b"v=spf1"[..], true),
        (b"V=Spf1 nonsense", true),
        (b"v=spf1\tall", false),
        (b"v=spf10", false),
        (b"v=spf", false),
        (b"spf2.0/pra", false),
        (b"v=spf1\xff", false),
    ] {
        assert_eq!(is_spf(text), expected, "{}", String::from_utf8_lossy(text));
    }
}

fn domain() -> impl Strategy<Value = DomainSpec> {
    let piece = "[a-z0-9_/:-]{1,6}|%\\{[slodiphv]([1-9][0-9]?)?r?[.+,=]{0,2}\\}|%%|%_|%-";
    let end = "\\.[a-z][a-z0-9]{0,3}\\.?|\\.[0-9]-[0-9]|%\\{d\\}|%%";
    (proptest::collection::vec(piece, 0..4), end).prop_map(|(pieces, end)| DomainSpec(pieces.concat() + &end))
}

fn lengths() -> impl Strategy<Value = PrefixLengths> {
    (proptest::option::of(0u8..=32), proptest::option::of(0u8..=128))
        .prop_map(|(ipv4, ipv6)| PrefixLengths { ipv4, ipv6 })
}

fn a_mechanism() -> impl Strategy<Value = Mechanism> {
    let maybe = || proptest::option::of(domain());
    prop_oneof![
        Just(Mechanism::All),
        domain().prop_map(Mechanism::Include),
        domain().prop_map(Mechanism::Exists),
        (maybe(), lengths()).prop_map(|(domain, lengths)| Mechanism::A(domain, lengths)),
        (maybe(), lengths()).prop_map(|(domain, lengths)| Mechanism::Mx(domain, lengths)),
        maybe().prop_map(Mechanism::Ptr),
        (any::<Ipv4Addr>(), proptest::option::of(0u8..=32)).prop_map(|(network, bits)| Mechanism::Ip4(network, bits)),
        (any::<Ipv6Addr>(), proptest::option::of(0u8..=128)).prop_map(|(network, bits)| Mechanism::Ip6(network, bits)),
    ]
}

fn a_term() -> impl Strategy<Value = Term> {
    let qualifier = prop_oneof![
        Just(Qualifier::Pass),
        Just(Qualifier::Fail),
        Just(Qualifier::Softfail),
        Just(Qualifier::Neutral)
    ];
    let unknown = ("x[a-z0-9_.-]{0,5}", "[!-$&-~]{0,8}");
    prop_oneof![
        8 => (qualifier, a_mechanism()).prop_map(|(qualifier, mechanism)| Term::Directive(qualifier, mechanism)),
        1 => unknown.prop_map(|(name, value)| Term::Modifier(Modifier::Unknown(name, value))),
    ]
}

fn a_record() -> impl Strategy<Value = SpfRecord> {
    let once = |modifier: fn(DomainSpec) -> Modifier| {
        proptest::option::of(domain()).prop_map(move |domain| domain.map(modifier).map(Term::Modifier))
    };
    let terms = proptest::collection::vec(a_term(), 0..8);
    (terms, once(Modifier::Redirect), once(Modifier::Explanation)).prop_map(|(mut terms, redirect, explanation)| {
        terms.extend(redirect.into_iter().chain(explanation));
        SpfRecord { terms }
    })
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written(record in a_record()) {
        prop_assert_eq!(read(&record.to_string()), Ok(record));
    }

    #[test]
    fn neither_letter_case_nor_spaces_change_what_a_record_says(record in a_record(), spaces in 1usize..4) {
        let text = record.to_string();
        let wide = text.replace(' ', &" ".repeat(spaces)).to_ascii_uppercase();
        let again = read(&wide).map(|record| record.to_string().to_ascii_lowercase());
        prop_assert_eq!(again, Ok(text.to_ascii_lowercase()));
    }

    #[test]
    fn any_text_is_a_record_or_an_error_that_names_a_term(text in "\\PC{0,80}") {
        if let Err(error) = read(&text) {
            prop_assert!(text.contains(&error.term));
        }
    }

    #[test]
    fn any_terms_are_a_record_or_an_error(
        words in proptest::collection::vec("[-+~?]?(all|a|mx|ptr|ip4|ip6|exists|include|exp|redirect)[:/=]?[a-z0-9.:/%{}\u{e4}-]{0,12}", 0..6)
    ) {
        let text = format!("v=spf1 {}", words.join(" "));
        if let Ok(record) = read(&text) {
            prop_assert_eq!(read(&record.to_string()), Ok(record));
        }
    }
}
