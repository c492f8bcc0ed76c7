//! Walks the structure of a Parquet file that came from outside, before its decoder does: the decoder makes room for as
//! many values as a header promises, so a header that promises two thousand million of them stops the process.
//!
//! Headers are in Thrift's compact protocol, which says of itself where each value ends; so they are walked without
//! knowing what they mean, but for a few fields of page headers (parquet.thrift).

use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

/// Largest footer in octets. Chosen by us: ours have about 2 KB.
const FOOTER_BYTES: usize = 64 << 10;

/// How deep structures may lie in each other. Parquet's own go to 6.
const DEPTH: usize = 12;

/// Types of page (parquet.thrift, `PageType`).
const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;
const DATA_PAGE_V2: i64 = 3;

/// Whether the footer is there, of a decent size, and promises no more than it holds.
pub(super) fn check_footer(octets: &[u8]) -> Result<(), String> {
    let size = octets.len();
    if size < 12 || &octets[..4] != b"PAR1" || &octets[size - 4..] != b"PAR1" {
        return Err("it does not begin and end as Parquet does".to_owned());
    }
    let length = u32::from_le_bytes([octets[size - 8], octets[size - 7], octets[size - 6], octets[size - 5]]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > FOOTER_BYTES || length > size - 12 {
        return Err(format!("its footer is said to have {length} octets"));
    }
    let mut walk = Walk::of(&octets[size - 8 - length..size - 8]);
    walk.structure(&mut Vec::new())?;
    match walk.rest.len() {
        0 => Ok(()),
        left => Err(format!("{left} octets follow its footer")),
    }
}

/// Whether each column's pages lie in its chunk, are not compressed, and promise no more values than there are rows.
pub(super) fn check(octets: &[u8], metadata: &ParquetMetaData, dictionary_bytes: usize) -> Result<(), String> {
    let mut rows_of_groups = 0_i64;
    for group in metadata.row_groups() {
        rows_of_groups = rows_of_groups.saturating_add(group.num_rows().max(0));
        for column in group.columns() {
            let of_column = |reason: String| format!("column `{}`: {reason}", column.column_path().string());
            if column.compression() != Compression::UNCOMPRESSED {
                return Err(of_column("it is compressed".to_owned()));
            }
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let end = start.saturating_add(column.compressed_size());
            let chunk = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            let chunk = chunk.and_then(|(start, end)| octets.get(start..end));
            let chunk = chunk.ok_or_else(|| of_column("it lies outside of the file".to_owned()))?;
            check_chunk(chunk, group.num_rows(), dictionary_bytes).map_err(of_column)?;
        }
    }
    if rows_of_groups != metadata.file_metadata().num_rows() {
        return Err("its row groups have other rows than the file".to_owned());
    }
    Ok(())
}

fn check_chunk(mut chunk: &[u8], rows: i64, dictionary_bytes: usize) -> Result<(), String> {
    let mut values = 0_i64;
    let mut is_first = true;
    while !chunk.is_empty() {
        let mut walk = Walk::of(chunk);
        walk.structure(&mut Vec::new())?;
        let field = |path: &[i16]| walk.found.iter().find(|(of, _)| of == path).map(|(_, value)| *value);
        let (kind, unfolded, folded) = (field(&[1]), field(&[2]), field(&[3]));
        if unfolded != folded {
            return Err("a page is said to unfold to another size".to_owned());
        }
        let size = folded.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let rest = walk
            .rest
            .get(size..)
            .ok_or_else(|| "a page ends outside of its column".to_owned())?;
        match kind {
            Some(DICTIONARY_PAGE) => {
                // each value has an octet at least; of texts four, for its length
                let promised = field(&[7, 1]).and_then(|count| usize::try_from(count).ok());
                if !is_first || size > dictionary_bytes || promised.is_none_or(|count| count > size) {
                    return Err("its dictionary is none of ours".to_owned());
                }
            }
            Some(DATA_PAGE | DATA_PAGE_V2) => {
                let count = if kind == Some(DATA_PAGE) {
                    field(&[5, 1])
                } else {
                    field(&[8, 1])
                };
                let count = count.filter(|count| (0..=rows).contains(count));
                values += count.ok_or_else(|| "a page promises more values than there are rows".to_owned())?;
            }
            _ => return Err("a page is of a kind that parts have not".to_owned()),
        }
        is_first = false;
        chunk = rest;
    }
    if values == rows {
        Ok(())
    } else {
        Err(format!("its pages have {values} values for {rows} rows"))
    }
}

/// A walk through Thrift's compact protocol (thrift-compact-protocol.md), which notes integers by the path of field ids
/// that leads to them, two deep at most.
struct Walk<'a> {
    rest: &'a [u8],
    found: Vec<(Vec<i16>, i64)>,
}

impl<'a> Walk<'a> {
    fn of(octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            found: Vec::new(),
        }
    }

    fn octet(&mut self) -> Result<u8, String> {
        let (first, rest) = self.rest.split_first().ok_or("a header is cut off")?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.rest = self.rest.get(count..).ok_or("a header is cut off")?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            value |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number in a header has no end".to_owned())
    }

    /// A signed number in the zigzag form.
    fn number(&mut self) -> Result<i64, String> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn structure(&mut self, path: &mut Vec<i16>) -> Result<(), String> {
        if path.len() >= DEPTH {
            return Err("a header is too deep".to_owned());
        }
        let mut id = 0_i16;
        loop {
            let header = self.octet()?;
            if header == 0 {
                return Ok(());
            }
            id = match header >> 4 {
                0 => i16::try_from(self.number()?).map_err(|_| "a header has a field that is none".to_owned())?,
                step => id.wrapping_add(i16::from(step)),
            };
            path.push(id);
            // a truth value stands in the header of its field
            if !matches!(header & 0x0f, 1 | 2) {
                self.value(header & 0x0f, path)?;
            }
            path.pop();
        }
    }

    fn value(&mut self, kind: u8, path: &mut Vec<i16>) -> Result<(), String> {
        match kind {
            // truth values of lists and maps, and octets
            1..=3 => self.skip(1),
            4..=6 => {
                let number = self.number()?;
                if path.len() <= 2 {
                    self.found.push((path.clone(), number));
                }
                Ok(())
            }
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let header = self.octet()?;
                let count = match header >> 4 {
                    15 => self.varint()?,
                    count => u64::from(count),
                };
                self.check_count(count)?;
                (0..count).try_for_each(|_| self.element(header & 0x0f, path))
            }
            11 => {
                let count = self.varint()?;
                self.check_count(count)?;
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.octet()?;
                (0..count).try_for_each(|_| {
                    self.element(kinds >> 4, path)?;
                    self.element(kinds & 0x0f, path)
                })
            }
            12 => self.structure(path),
            _ => Err("a header has a field of no known type".to_owned()),
        }
    }

    /// A list's element has no id of its own; 0 stands for it.
    fn element(&mut self, kind: u8, path: &mut Vec<i16>) -> Result<(), String> {
        if path.len() >= DEPTH {
            return Err("a header is too deep".to_owned());
        }
        path.push(0);
        self.value(kind, path)?;
        path.pop();
        Ok(())
    }

    /// Each element takes an octet at least, so there cannot be more than octets are left.
    fn check_count(&self, count: u64) -> Result<(), String> {
        if count > self.rest.len() as u64 {
            return Err(format!("a header promises {count} values"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn walked(octets: &[u8]) -> Result<Vec<(Vec<i16>, i64)>, String> {
        let mut walk = Walk::of(octets);
        walk.structure(&mut Vec::new())?;
        Ok(walk.found)
    }

    #[test]
    fn the_fields_of_a_page_header_are_found() {
        // PageHeader {1: 2, 2: 100, 3: 100, 7: DictionaryPageHeader {1: 20, 2: 0}}
        let header = [
            0x15, 0x04, 0x15, 0xc8, 0x01, 0x15, 0xc8, 0x01, 0x4c, 0x15, 0x28, 0x15, 0x00, 0x00, 0x00,
        ];
        let found = walked(&header).unwrap();
        assert_eq!(found[..3], [(vec![1], 2), (vec![2], 100), (vec![3], 100)]);
        assert_eq!(found[3], (vec![7, 1], 20));
    }

    #[test]
    fn a_header_that_promises_more_than_it_holds_is_refused() {
        // a list of 2^31 - 1 structures, a text of as many octets, a map of as many pairs
        for (header, reason) in [
            (
                &[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00][..],
                "promises 2147483647 values",
            ),
            (&[0x18, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00], "cut off"),
            (
                &[0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x88, 0x00],
                "promises 2147483647 values",
            ),
            (&[0x15], "cut off"),
            (
                &[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                "has no end",
            ),
            (&[0x1e, 0x00], "no known type"),
        ] {
            let told = walked(header).unwrap_err();
            assert!(told.contains(reason), "{header:x?}: {told}");
        }
        assert_eq!(walked(&[0x1c; 40]).unwrap_err(), "a header is too deep");
        assert_eq!(walked(&[0x19; 40]).unwrap_err(), "a header is too deep");
    }

    #[test]
    fn a_page_may_not_promise_more_values_than_there_are_rows() {
        // DataPage of 0 octets with 21 values
        let page = |values: u8| [0x15, 0x00, 0x15, 0x00, 0x15, 0x00, 0x2c, 0x15, values << 1, 0x00, 0x00];
        assert_eq!(check_chunk(&page(20), 20, 100), Ok(()));
        assert!(check_chunk(&page(21), 20, 100).unwrap_err().contains("more values"));
        assert!(
            check_chunk(&page(19), 20, 100)
                .unwrap_err()
                .contains("19 values for 20 rows")
        );
        let twice = [page(20), page(20)].concat();
        assert!(check_chunk(&twice, 20, 100).is_err());
    }

    proptest! {
        #[test]
        fn no_octets_make_the_walk_panic_or_note_more_than_they_are(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(found) = walked(&octets) {
                prop_assert!(found.len() <= octets.len());
            }
            let _ = check_chunk(&octets, 100, 1 << 16);
        }
    }
}
