//! How names, addresses and records stand in the columns of passive DNS, for engines that read its files themselves.

use std::net::IpAddr;
use std::ops::Range;

use model::{Name, Prefix};

use super::{key, rows};

/// What a record is found by: a value of the column `value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A name that it points to.
    Name(Name),
    /// Its address.
    Address(IpAddr),
    /// Its data as a whole, as on the wire.
    Data(Vec<u8>),
}

/// A name as the columns `owner`, `bailiwick`, `zone` and `question` hold it: labels from the root down, each followed by a dot.
pub fn order(name: &Name) -> String {
    key::reversed(name)
}

/// The name of a text made by [`order`]; `None` for a text that is none.
pub fn name(order: &str) -> Option<Name> {
    key::from_reversed(order)
}

/// The name of a text made by [`as_read`]; `None` for a text that is none.
pub fn name_as_read(text: &str) -> Option<Name> {
    key::from_forward(text)
}

/// A name as the column `name` holds it: its labels as they are read, each followed by a dot.
pub fn as_read(name: &Name) -> String {
    key::forward(name)
}

/// The texts by [`order`] of a name and all below it: from the first up to but not including the second. `None` for the root,
/// below which all are.
pub fn below(name: &Name) -> Option<Range<String>> {
    let range = key::beginning_with(key::reversed(name).into());
    let text = |octets| String::from_utf8(octets).ok();
    (!name.is_root()).then_some(text(range.start)?..text(range.end)?)
}

/// The records of a value of the column `rdata` of `rrset` and `evidence`, each as on the wire; `None` for octets that are none.
pub fn records(octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    rows::parted(octets)
}

/// What a value of the column `value` is; `None` for octets that are none.
pub fn value(octets: &[u8]) -> Option<Value> {
    if let Some(name) = key::target(octets) {
        return Some(Value::Name(name));
    }
    match octets.split_first()? {
        (&key::IPV4, address) => Some(Value::Address(<[u8; 4]>::try_from(address).ok()?.into())),
        (&key::IPV6, address) => Some(Value::Address(<[u8; 16]>::try_from(address).ok()?.into())),
        (&key::RAW, data) => Some(Value::Data(data.to_vec())),
        _ => None,
    }
}

/// The value of a name that a record points to.
pub fn value_of_name(name: &Name) -> Vec<u8> {
    key::of_target(name)
}

/// The value of an address.
pub fn value_of_address(address: IpAddr) -> Vec<u8> {
    key::of_address(address)
}

/// The values of a name and all below it.
pub fn values_below(name: &Name) -> Range<Vec<u8>> {
    key::beginning_with(key::of_target(name))
}

/// The values of the addresses of a prefix.
pub fn values_of_prefix(prefix: Prefix) -> Range<Vec<u8>> {
    key::prefix(prefix)
}
