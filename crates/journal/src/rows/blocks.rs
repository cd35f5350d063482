//! Which times, and which numbers of requests in their run, the blocks of a batch have.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::tables::{BLOCK, int};

#[derive(Default)]
pub(super) struct Blocks(HashMap<i64, Block>);

struct Block {
    times: (i64, i64),
    numbers: Option<(i64, i64)>,
}

impl Blocks {
    /// Extends the block of this row of `requests`.
    pub(super) fn include(&mut self, id: i64, at_ms: u64, number: Option<i64>) {
        let at = int(at_ms);
        let block = self.0.entry(id / BLOCK).or_insert(Block {
            times: (at, at),
            numbers: None,
        });
        extend(&mut block.times, at);
        if let Some(number) = number {
            extend(block.numbers.get_or_insert((number, number)), number);
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut blocks = connection.prepare_cached(
            "INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms), \
             first_number = min(ifnull(first_number, excluded.first_number), ifnull(excluded.first_number, first_number)), \
             last_number = max(ifnull(last_number, excluded.last_number), ifnull(excluded.last_number, last_number))",
        )?;
        for (block, Block { times, numbers }) in self.0 {
            let (first, last) = numbers.unzip();
            blocks.execute([Some(block), Some(times.0), Some(times.1), first, last])?;
        }
        Ok(())
    }
}

fn extend((first, last): &mut (i64, i64), to: i64) {
    *first = to.min(*first);
    *last = to.max(*last);
}
