//! A map that takes the room of few entries whatever is put into it, and keeps those that are in use.

use std::collections::HashMap;
use std::hash::Hash;

/// What was met lately, and what was met before. What is met again moves up; when the first are too many, they become the
/// second, and these are forgotten.
pub(crate) struct Generations<K, V> {
    room: usize,
    new: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// An empty map for `room` entries at most.
    pub fn with_room(room: usize) -> Self {
        Self {
            room,
            new: HashMap::new(),
            old: HashMap::new(),
        }
    }

    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        if !self.new.contains_key(key)
            && let Some((key, value)) = self.old.remove_entry(key)
        {
            self.insert(key, value);
        }
        self.new.get_mut(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        if self.new.len() >= self.room / 2 {
            self.turn();
        }
        self.old.remove(&key);
        self.new.insert(key, value);
    }

    pub fn remove(&mut self, key: &K) {
        self.new.remove(key);
        self.old.remove(key);
    }

    /// Forgets what was not met since the last turn.
    pub fn turn(&mut self) {
        self.old = std::mem::take(&mut self.new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_entries_takes_the_room_of_few_and_those_in_use_stay() {
        let mut known = Generations::with_room(100);
        known.insert(0, "used");
        for number in 1..1_000 {
            known.insert(number, "met once");
            assert_eq!(known.get(&0), Some(&mut "used"));
            assert!(known.new.len() + known.old.len() <= 100);
        }
        assert_eq!(known.get(&1), None);
        known.remove(&0);
        assert_eq!(known.get(&0), None);
    }
}
