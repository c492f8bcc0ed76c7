//! Reading what stands beside passive DNS: evidence, figures of traffic, what could not be read, and what operators publish.

use jiff::Timestamp;
use model::{ClientCell, DistinctCell, MalformedMessage, Name, OperatorFigure, OutOfBailiwick, TrafficCell};

use super::lookup::find_all;
use super::rows::Sorted;
use super::source::Scope;
use super::{Passive, Runs, View, key};
use crate::table::lock;

/// Something, and who told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<T> {
    /// The word of the source.
    pub source: String,
    /// What it told.
    pub what: T,
}

/// What was told, one after the other. It reads files: iterate where that may block.
pub type AllTold<T> = Box<dyn Iterator<Item = Told<T>> + Send>;

impl<T> Told<T> {
    fn by(source: &str, what: T) -> Self {
        Self {
            source: source.to_owned(),
            what,
        }
    }
}

impl Passive {
    /// The rows of a table whose key is a time, from `from` up to but not including `to`, in their order.
    fn of_times<S: Sorted + Send + 'static>(
        &self,
        runs: fn(&View) -> &Runs<S>,
        from: Timestamp,
        to: Timestamp,
        scope: &Scope,
    ) -> impl Iterator<Item = S> + Send + use<S> {
        let view = lock(&self.0.view).clone();
        let mut rows = find_all(&self.0.shared, runs(&view), &key::times(from, to), view.allowed(scope));
        std::iter::from_fn(move || rows.next())
    }

    /// What servers said of a name and all below it that they may not say, by owner name from the root down.
    pub fn evidence(&self, name: &Name, scope: &Scope) -> AllTold<OutOfBailiwick> {
        let view = lock(&self.0.view).clone();
        let keys = key::beginning_with(key::reversed(name).into());
        let mut rows = find_all(&self.0.shared, &view.evidence, &keys, view.allowed(scope));
        let rows = std::iter::from_fn(move || rows.next());
        Box::new(rows.filter_map(super::EvidenceRow::told))
    }

    /// Figures of the minutes and longer spans that begin from `from` up to but not including `to`, in their order.
    pub fn traffic(&self, from: Timestamp, to: Timestamp, scope: &Scope) -> AllTold<TrafficCell> {
        let rows = self.of_times(|view| &view.traffic, from, to, scope);
        Box::new(rows.map(|row| Told::by(&row.source, row.cell)))
    }

    /// How many clients and names there were in the minutes and longer spans that begin from `from` up to but not including `to`, in their
    /// order.
    pub fn distincts(&self, from: Timestamp, to: Timestamp, scope: &Scope) -> AllTold<DistinctCell> {
        let rows = self.of_times(|view| &view.distincts, from, to, scope);
        Box::new(rows.map(|row| Told::by(&row.source, row.cell)))
    }

    /// Who asked most in the minutes and longer spans that begin from `from` up to but not including `to`, in their order.
    pub fn clients(&self, from: Timestamp, to: Timestamp, scope: &Scope) -> AllTold<ClientCell> {
        let rows = self.of_times(|view| &view.clients, from, to, scope);
        Box::new(rows.map(|row| Told::by(&row.source, row.cell)))
    }

    /// What could not be read of the times from `from` up to but not including `to`, in their order, each with how often it came.
    pub fn malformed(&self, from: Timestamp, to: Timestamp, scope: &Scope) -> AllTold<(MalformedMessage, u64)> {
        let rows = self.of_times(|view| &view.malformed, from, to, scope);
        Box::new(rows.map(|row| Told::by(&row.source, (row.message, row.count))))
    }

    /// What operators published of the days that begin from `from` up to but not including `to`, in their order, each figure once: as
    /// it was taken in last.
    pub fn rssac002(&self, from: Timestamp, to: Timestamp, scope: &Scope) -> AllTold<OperatorFigure> {
        let mut rows = self.of_times(|view| &view.rssac002, from, to, scope).peekable();
        let last = move || {
            let mut row = rows.next()?;
            while let Some(later) = rows.next_if(|later| later.is_of(&row)) {
                row = later;
            }
            Some(Told::by(&row.source, row.figure))
        };
        Box::new(std::iter::from_fn(last))
    }
}
