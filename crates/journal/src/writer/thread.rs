//! The writer's thread: collects what is handed over into batches, and carries orders out.
//!
//! It sleeps until something comes, then a moment longer. So entries that come together are written together,
//! and a busy time wakes it only a few times a second.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use super::work::Writer;
use crate::entry::Entry;
use crate::order::Order;
use crate::settings::Settings;
use crate::shared::Shared;

/// How long the first entry waits for others, and how long maintenance may keep entries waiting.
const SETTLE: Duration = Duration::from_millis(100);
/// Most entries of one transaction.
const BATCH: usize = 2048;

/// Writes until the last handle is dropped.
pub(crate) fn run(shared: &Arc<Shared>, queue: &Receiver<Entry>, settings: Settings) {
    let mut writer = Writer::new(Arc::clone(shared), settings);
    writer.open();
    shared.set_ready();
    loop {
        let due = writer.due();
        let first = match queue.try_recv() {
            Ok(entry) => Some(entry),
            Err(_) => shared.sleep(queue, due),
        };
        let mut batch: Vec<Entry> = first.into_iter().collect();
        if !batch.is_empty() && !shared.is_called() && !writer.is_maintaining() {
            thread::park_timeout(SETTLE);
        }
        // The queue is read after the orders are taken: it has everything that was handed over before them.
        // So an entry may be written by settings that came after it, but never by those before.
        let is_last = shared.is_closing();
        let mut flushes = Vec::new();
        let mut is_to_close = false;
        for order in shared.take_orders() {
            match order {
                Order::Flush(done) => flushes.push(done),
                Order::Close(done) => {
                    flushes.push(done);
                    is_to_close = true;
                }
                Order::Configure(settings) => writer.configure(*settings),
            }
        }
        loop {
            batch.extend(queue.try_iter().take(BATCH - batch.len()));
            if batch.is_empty() {
                break;
            }
            let is_full = batch.len() == BATCH;
            writer.write(&mut batch);
            if !is_full {
                break;
            }
        }
        if is_to_close {
            writer.close();
        }
        writer.acknowledge(flushes);
        if is_last {
            return;
        }
        writer.maintain(SETTLE);
    }
}
