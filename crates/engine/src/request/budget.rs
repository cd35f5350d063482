//! The memory for what is kept of requests and answers on their way, over all of them.
//!
//! Each request and each answer has a limit of its own, but many at once could still fill the memory. So what is kept
//! is reserved here first. Where no room is left, less is kept: a request goes out once, and an answer is judged by
//! what has come of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a kept piece costs beside its bytes, in bytes.
const OVERHEAD: u64 = 64;

/// The bytes that may be kept, and those that are.
pub struct Budget {
    most: AtomicU64,
    kept: Arc<AtomicU64>,
}

/// The part of a [`Budget`] that one request or answer has. It is given back when this is dropped.
pub struct Reserved {
    budget: Option<Arc<Budget>>,
    bytes: u64,
}

impl Budget {
    /// Room for this many bytes. `kept` counts those that are kept.
    pub fn new(most: u64, kept: &Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self {
            most: AtomicU64::new(most),
            kept: Arc::clone(kept),
        })
    }

    /// Changes how much room there is. What is kept already stays.
    pub fn set(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
    }

    fn take(&self, bytes: u64) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let more = |kept: u64| kept.checked_add(bytes).filter(|kept| *kept <= most);
        let taken = self
            .kept
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok()
    }
}

impl Reserved {
    /// Nothing yet.
    pub fn nothing(budget: &Arc<Budget>) -> Self {
        Self {
            budget: Some(Arc::clone(budget)),
            bytes: 0,
        }
    }

    /// For what is counted elsewhere: there is always room.
    pub fn elsewhere() -> Self {
        Self {
            budget: None,
            bytes: 0,
        }
    }

    /// Reserves room for a piece of this many bytes. `false`: there is none.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let Some(budget) = &self.budget else {
            return true;
        };
        let bytes = cost(bytes);
        let is_taken = budget.take(bytes);
        if is_taken {
            self.bytes += bytes;
        }
        is_taken
    }

    /// Gives back the room of a piece of this many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        self.give_back(cost(bytes));
    }

    fn give_back(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        if let Some(budget) = &self.budget {
            budget.kept.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

fn cost(bytes: usize) -> u64 {
    (bytes as u64).saturating_add(OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room_for(bytes: u64) -> Arc<Budget> {
        Budget::new(bytes, &Arc::default())
    }

    fn kept(budget: &Budget) -> u64 {
        budget.kept.load(Ordering::Relaxed)
    }

    #[test]
    fn what_is_given_back_is_room_again() {
        let budget = room_for(1000);
        let mut first = Reserved::nothing(&budget);
        let mut second = Reserved::nothing(&budget);

        assert!(first.grow(500));
        assert!(!second.grow(500), "the budget is for all");
        assert!(second.grow(300));
        first.shrink(500);
        assert!(second.grow(400));
        drop(second);
        drop(first);

        assert_eq!(kept(&budget), 0);
    }

    #[test]
    fn tiny_pieces_are_not_free() {
        let budget = room_for(1000);
        let mut reserved = Reserved::nothing(&budget);

        let pieces = (0..1000).take_while(|_| reserved.grow(1)).count();

        assert!(pieces < 1000 / 60, "{pieces}");
    }

    #[test]
    fn less_room_takes_nothing_away() {
        let budget = room_for(1000);
        let mut reserved = Reserved::nothing(&budget);
        assert!(reserved.grow(800));

        budget.set(100);

        assert!(!reserved.grow(1));
        drop(reserved);
        assert_eq!(kept(&budget), 0);
    }

    #[test]
    fn what_is_counted_elsewhere_takes_no_room() {
        let mut reserved = Reserved::elsewhere();

        assert!(reserved.grow(usize::MAX));
    }
}
