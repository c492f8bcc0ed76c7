//! Many addresses in one process.

use std::fmt::Write;

use domain::base::iana::Rtype;
use lab::{Lab, World};

use crate::asker::{answer_of, ask, at, noon};

#[tokio::test]
async fn five_hundred_and_twelve_addresses_run_in_one_process() {
    let mut file = String::from("name = \"many\"\n[[zone]]\nname = \"many.test\"\nfile = \"many\"\n");
    for number in 0..512 {
        write!(
            file,
            "[[server]]\nname = \"ns{number}.many.test\"\naddresses = [\"127.20.{}.{}\"]\nzones = [\"many.test\"]\n",
            number / 256,
            number % 256
        )
        .unwrap();
    }
    let zone = "@ 60 SOA ns0 host 1 14400 3600 604800 300\n@ 60 NS ns0\nns0 60 A 127.20.0.0\n";
    let lab = Lab::start(
        World::from_parts(&[("world.toml", &file), ("many", zone)]).unwrap(),
        0,
        noon(),
    )
    .await
    .unwrap();
    for number in [0, 1, 255, 256, 511] {
        let server = at(&lab, &format!("127.20.{}.{}", number / 256, number % 256));
        let question = ask("ns0.many.test", Rtype::A);
        assert_eq!(answer_of(&question.udp(server).await), ["ns0.many.test A 127.20.0.0"]);
        assert_eq!(answer_of(&question.tcp(server).await), ["ns0.many.test A 127.20.0.0"]);
    }
    assert_eq!(lab.questions().len(), 512);
}
