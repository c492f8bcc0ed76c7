//! Decoded pages that were asked for lately, within a bound of octets.

use std::collections::HashMap;
use std::sync::Mutex;

use arrow::array::RecordBatch;

use super::slice::Part;
use crate::table::lock;

/// A run, a slice of it, and columns of that.
type Place = (u64, usize, Part);

/// Two generations of pages: when the younger one has half of the room, it becomes the elder one, and the elder one goes. What
/// is asked for again moves to the younger one, so only what nobody asked for goes.
pub(crate) struct Cache {
    room: usize,
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    younger: HashMap<Place, RecordBatch>,
    elder: HashMap<Place, RecordBatch>,
    younger_bytes: usize,
}

impl Cache {
    /// A cache that takes some `room` octets at most.
    pub fn new(room: usize) -> Self {
        Self {
            room,
            generations: Mutex::default(),
        }
    }

    /// The page, from `decode` when it is not here.
    pub fn get(
        &self,
        place: Place,
        decode: impl FnOnce() -> Result<RecordBatch, String>,
    ) -> Result<RecordBatch, String> {
        {
            let mut generations = lock(&self.generations);
            if let Some(page) = generations.younger.get(&place) {
                return Ok(page.clone());
            }
            if let Some(page) = generations.elder.remove(&place) {
                self.put(&mut generations, place, page.clone());
                return Ok(page);
            }
        }
        let page = decode()?;
        self.put(&mut lock(&self.generations), place, page.clone());
        Ok(page)
    }

    fn put(&self, generations: &mut Generations, place: Place, page: RecordBatch) {
        generations.younger_bytes += page.get_array_memory_size();
        generations.younger.insert(place, page);
        if generations.younger_bytes > self.room / 2 {
            generations.elder = std::mem::take(&mut generations.younger);
            generations.younger_bytes = 0;
        }
    }
}
