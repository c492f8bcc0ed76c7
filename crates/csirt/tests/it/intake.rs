use std::net::IpAddr;

use csirt::alerts::{self, AlertState, Filter};
use csirt::intake::{Form, Policy, ReportState, SubmitError, find, list, of_alert, set_aside, submit, take_back};
use csirt::{Records, audit};
use model::{Detector, Severity};

use crate::matter::duty_officer;
use crate::{World, on_each_database};

fn address() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn form(world: &World) -> Form {
    Form {
        what: "Since this morning bank.example shows a strange page.".to_owned(),
        names: "www.bank.example\n192.0.2.99".to_owned(),
        email: "ada@reader.example".to_owned(),
        language: "ar".to_owned(),
        shown_at: Some(world.records.now() - jiff::SignedDuration::from_secs(60)),
        ..Form::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_on_the_disk_with_its_alert_before_anybody_is_thanked() {
    on_each_database(async |world| {
        let number = submit(&world.records, &form(world), address(), &Policy::default())
            .await
            .unwrap();
        assert_eq!(number.to_string(), "REPORT-2026-00001");
        let again = Records::open(&world.database.url, world.clock.clone()).await.unwrap();
        let report = find(&again, number).await.unwrap();
        assert_eq!((report.state, report.language.code()), (ReportState::Open, "ar"));
        let alert = alerts::get(&again, report.alert.unwrap()).await.unwrap();
        assert_eq!(
            (alert.detector, alert.severity, alert.kind.as_str()),
            (Detector::Report, Severity::Review, "report")
        );
        let zones: Vec<_> = alert.zones.iter().map(ToString::to_string).collect();
        assert_eq!(zones, ["bank.example", "www.bank.example"]);
        assert_eq!(alert.args["number"], number.to_string());
        assert_eq!(of_alert(&again, alert.id).await.unwrap(), Some(report));
        again.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_told_and_nothing_is_kept() {
    on_each_database(async |world| {
        let wrong = Form {
            what: "help".to_owned(),
            email: "ada".to_owned(),
            ..form(world)
        };
        let error = submit(&world.records, &wrong, address(), &Policy::default())
            .await
            .unwrap_err();
        let SubmitError::Fields(fields) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            fields.iter().map(|error| error.field).collect::<Vec<_>>(),
            ["what", "email"]
        );
        assert!(list(&world.records, 10).await.unwrap().is_empty());
        assert_eq!(audit::head(&world.records).await.unwrap().0, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_sends_too_many_waits_and_others_do_not() {
    on_each_database(async |world| {
        let send = async |address: &str| {
            submit(
                &world.records,
                &form(world),
                address.parse().unwrap(),
                &Policy::default(),
            )
            .await
        };
        for _ in 0..5 {
            send("2001:db8::1").await.unwrap();
        }
        let error = send("2001:db8::ffff").await.unwrap_err();
        assert!(matches!(error, SubmitError::TooMany { retry_secs: 3600 }), "{error:?}");
        assert_eq!(send("2001:db8:0:1::1").await.unwrap().serial, 6);
        world.wait_secs(3600);
        assert_eq!(
            send("2001:db8::1").await.unwrap().serial,
            7,
            "a refused report takes no number"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_spam_is_kept_aside_with_a_number_and_can_be_taken_back() {
    on_each_database(async |world| {
        let trapped = Form {
            website: "http://pills.example".to_owned(),
            ..form(world)
        };
        let number = submit(&world.records, &trapped, address(), &Policy::default())
            .await
            .unwrap();
        assert_eq!(find(&world.records, number).await.unwrap().state, ReportState::Spam);
        assert!(
            alerts::queue(&world.records, &Filter::default())
                .await
                .unwrap()
                .is_empty()
        );
        let taken = take_back(&world.records, duty_officer(), number).await.unwrap();
        assert_eq!(
            alerts::queue(&world.records, &Filter::default()).await.unwrap().len(),
            1
        );
        assert!(take_back(&world.records, duty_officer(), number).await.is_err());
        let aside = set_aside(&world.records, duty_officer(), number).await.unwrap();
        assert_eq!(aside.state, ReportState::Spam);
        let alert = alerts::get(&world.records, taken.alert.unwrap()).await.unwrap();
        assert_eq!(alert.state, AlertState::Dismissed);
    })
    .await;
}
