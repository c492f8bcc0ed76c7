//! Who asks a server most, minute by minute, as networks or under pseudonyms: where whoever runs the sensor has chosen so.
//!
//! Counters are few, however many ask: when there is none left, the middle count is taken off all, and those that have nothing left go
//! (Misra and Gries 1982, with many taken off at once as in Anderson et al. 2017, "A High-Performance Algorithm for Identifying
//! Frequent Items in Data Streams"). What is taken off is counted for all together. So a count is never too high, it is too low by two queries of each
//! `most` that came at the worst, and all counts of a server together are all of its queries.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use ipcrypt_rs::Ipcrypt;
use model::{Client, ClientCell, Span};

use crate::pass::timestamp;
use crate::sink::{Sink, SinkError};

const MINUTE: i64 = 60_000_000_000;

/// How clients are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// As what.
    pub form: ClientForm,
    /// Clients of one minute at the most, of all servers together; 4 at least. More: larger parts. Less: who asks in less than two of so many
    /// queries may be missed.
    pub most: usize,
    /// Queries of a minute from which on a client is told; who asks less is counted with all others. Lower: everybody is told where few ask.
    pub least: u64,
    /// Servers of one minute that are told by themselves; the others are told together.
    pub most_servers: usize,
}

/// What stands for a client's address.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientForm {
    /// The network that it lies in.
    Network,
    /// The address, encrypted as one block of AES-128 with this key (`ipcrypt-deterministic` of draft-denis-ipcrypt; IPv4 as IPv4-mapped).
    /// Who has the key can tell the address: keep it where the traffic is.
    Pseudonym {
        /// The key.
        key: [u8; 16],
    },
}

impl fmt::Debug for ClientForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "Network",
            Self::Pseudonym { .. } => "Pseudonym",
        })
    }
}

impl ClientForm {
    /// What stands for an address.
    pub fn client(&self, address: IpAddr) -> Client {
        match self {
            Self::Network => Client::network(address),
            Self::Pseudonym { key } => {
                let mut octets = octets_of(address);
                Ipcrypt::new(*key).encrypt_ip16(&mut octets);
                Client::Pseudonym(octets)
            }
        }
    }

    /// The address that a pseudonym under this key stands for; `None` for a network.
    pub fn address(&self, client: Client) -> Option<IpAddr> {
        match (self, client) {
            (Self::Pseudonym { key }, Client::Pseudonym(mut octets)) => {
                Ipcrypt::new(*key).decrypt_ip16(&mut octets);
                Some(IpAddr::from(octets).to_canonical())
            }
            _ => None,
        }
    }
}

fn octets_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The queries of one minute.
#[derive(Default)]
struct Minute {
    /// Of those counted by themselves, by server and address: of the network, or of the client.
    counts: HashMap<(Option<IpAddr>, IpAddr), u64, RandomState>,
    /// Of the others, for each server that was seen.
    others: HashMap<Option<IpAddr>, u64, RandomState>,
}

/// Counts not yet passed on.
pub(crate) struct Tally {
    settings: Clients,
    minutes: BTreeMap<i64, Minute>,
}

impl Tally {
    pub(crate) fn new(settings: Clients) -> Self {
        Self {
            settings,
            minutes: BTreeMap::new(),
        }
    }

    /// Counts a query that came at `time`, in nanoseconds.
    pub(crate) fn add(&mut self, time: i64, server: IpAddr, client: IpAddr) {
        let minute = self.minutes.entry(time.div_euclid(MINUTE)).or_default();
        let has_cell = minute.others.len() < self.settings.most_servers || minute.others.contains_key(&Some(server));
        let server = has_cell.then_some(server);
        let others = minute.others.entry(server).or_default();
        // senders of dnstap may leave the address out
        if client.is_unspecified() {
            *others += 1;
            return;
        }
        let counted = match (&self.settings.form, Client::network(client)) {
            (ClientForm::Network, Client::Network(network)) => network.address(),
            _ => client.to_canonical(),
        };
        *minute.counts.entry((server, counted)).or_default() += 1;
        if minute.counts.len() > self.settings.most.max(4) {
            minute.take_off();
        }
    }

    /// Minutes that are held.
    pub(crate) fn minutes(&self) -> usize {
        self.minutes.len()
    }

    /// Passes everything on.
    pub(crate) fn pass_on(&mut self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        while let Some((minute, Minute { counts, others })) = self.minutes.pop_first() {
            let Clients { form, least, .. } = &self.settings;
            let mut others = others;
            let mut cells = Vec::new();
            for ((server, address), queries) in counts {
                match queries >= *least {
                    true => cells.push((server, Some(form.client(address)), queries)),
                    false => *others.entry(server).or_default() += queries,
                }
            }
            cells.extend(others.into_iter().map(|(server, queries)| (server, None, queries)));
            for (server, client, queries) in cells.into_iter().filter(|(.., queries)| *queries > 0) {
                sink.client(ClientCell {
                    minute: timestamp(minute.saturating_mul(MINUTE)),
                    span: Span::Minute,
                    server,
                    client,
                    queries,
                })?;
            }
        }
        Ok(())
    }
}

impl Minute {
    /// Takes the middle count off all, and off the table what has nothing left: half of it at least.
    fn take_off(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, middle, _) = counts.select_nth_unstable(middle);
        let middle = *middle;
        let others = &mut self.others;
        self.counts.retain(|(server, _), count| {
            let taken = middle.min(*count);
            *others.entry(*server).or_default() += taken;
            *count -= taken;
            *count > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    struct Cells(Vec<ClientCell>);

    impl Sink for Cells {
        fn rrset(&mut self, _: model::PassiveRrset) -> Result<(), SinkError> {
            Ok(())
        }

        fn out_of_bailiwick(&mut self, _: model::OutOfBailiwick) -> Result<(), SinkError> {
            Ok(())
        }

        fn traffic(&mut self, _: model::TrafficCell) -> Result<(), SinkError> {
            Ok(())
        }

        fn quarantine(&mut self, _: crate::Malformed<'_>) -> Result<(), SinkError> {
            Ok(())
        }

        fn client(&mut self, cell: ClientCell) -> Result<(), SinkError> {
            self.0.push(cell);
            Ok(())
        }
    }

    fn told(clients: Clients, queries: impl Iterator<Item = (IpAddr, IpAddr)>) -> Vec<ClientCell> {
        let mut tally = Tally::new(clients);
        queries.for_each(|(server, client)| tally.add(0, server, client));
        let mut cells = Cells(Vec::new());
        tally.pass_on(&mut cells).unwrap();
        cells.0
    }

    const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53));

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    /// Of a million queries from as many forged addresses, in between those of three who ask in one of 40, 80 and 160.
    #[test]
    fn who_asks_much_is_told_however_many_ask_once_and_no_count_is_too_high() {
        let loud = |number: u32| match number % 160 {
            0 | 40 | 80 | 120 => 1,
            1 | 81 => 2,
            2 => 3,
            _ => 0x0a00_0000 | number.wrapping_mul(0x9e37_79b1) >> 8,
        };
        let clients = Clients {
            form: ClientForm::Pseudonym { key: [7; 16] },
            most: 1_000,
            least: 2,
            most_servers: 2,
        };
        let form = clients.form.clone();
        let cells = told(clients, (0..1_000_000).map(|number| (SERVER, address(loud(number)))));
        assert!(cells.len() <= 1_001, "{}", cells.len());
        assert_eq!(cells.iter().map(|cell| cell.queries).sum::<u64>(), 1_000_000);
        for (number, queries) in [(1, 25_000), (2, 12_500), (3, 6_250)] {
            let client = Some(form.client(address(number)));
            let found = cells.iter().find(|cell| cell.client == client).unwrap();
            assert!(
                found.queries <= queries && found.queries >= queries - 2_000,
                "{number}: {}",
                found.queries
            );
        }
    }

    #[test]
    fn networks_are_counted_as_such_and_servers_beyond_the_bound_together() {
        let clients = Clients {
            form: ClientForm::Network,
            most: 100,
            least: 2,
            most_servers: 1,
        };
        let queries = [(53, 0x0a00_0001), (53, 0x0a00_0002), (54, 0x0a00_0003), (55, 0)];
        let mut cells = told(
            clients,
            queries
                .into_iter()
                .map(|(server, client)| (address(server), address(client))),
        );
        cells.sort_by_key(|cell| (cell.server, cell.client));
        let network = Some("10.0.0.0/24".parse().unwrap());
        let cell = |server, client, queries| ClientCell {
            minute: jiff::Timestamp::UNIX_EPOCH,
            span: Span::Minute,
            server,
            client,
            queries,
        };
        // who asked once is told of no server
        let expected = [cell(None, None, 2), cell(Some(address(53)), network, 2)];
        assert_eq!(cells, expected);
    }

    /// The vectors of draft-denis-ipcrypt, `ipcrypt-deterministic`.
    #[test]
    fn pseudonyms_are_those_of_the_specification_and_their_key_takes_them_back() {
        for (key, address, encrypted) in [
            (
                "0123456789abcdeffedcba9876543210",
                "0.0.0.0",
                "bde9:6789:d353:824c:d7c6:f58a:6bd2:26eb",
            ),
            (
                "1032547698badcfeefcdab8967452301",
                "255.255.255.255",
                "aed2:92f6:ea23:58c3:48fd:8b8:74e8:45d8",
            ),
            (
                "2b7e151628aed2a6abf7158809cf4f3c",
                "192.0.2.1",
                "1dbd:c1b9:fff1:7586:7d0b:67b4:e76e:4777",
            ),
        ] {
            let key = u128::from_str_radix(key, 16).unwrap().to_be_bytes();
            let form = ClientForm::Pseudonym { key };
            let address: IpAddr = address.parse().unwrap();
            let IpAddr::V6(encrypted) = encrypted.parse().unwrap() else {
                unreachable!()
            };
            assert_eq!(form.client(address), Client::Pseudonym(encrypted.octets()));
            assert_eq!(form.address(form.client(address)), Some(address));
        }
        assert_eq!(ClientForm::Network.address(Client::Pseudonym([0; 16])), None);
    }
}
