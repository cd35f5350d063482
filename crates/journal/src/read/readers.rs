//! The connections that queries run on: a few at a time, on threads that may block.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::query::{Caller, QueryError, begin};
use crate::file;

/// Most queries at once.
const AT_ONCE: usize = 4;

pub(crate) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Readers {
    /// Runs a query in one transaction. `path` is awaited when it is the query's turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        path: impl Future<Output = PathBuf>,
        query: impl FnOnce(&Connection) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        // The thread keeps the permit: it may go on after the caller has left.
        let permit = Arc::clone(&self.0)
            .acquire_owned()
            .await
            .map_err(|_| QueryError::Ending)?;
        let path = path.await;
        let caller = Caller::default();
        let state = Arc::clone(&caller.0);
        let answer = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = file::open_to_read(&path)?;
            if !begin(&state, &connection) {
                return Err(QueryError::Ending);
            }
            connection.execute_batch("BEGIN")?;
            query(&connection)
        });
        answer.await.map_err(|_| QueryError::Ending)?
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_query_that_nobody_waits_for_any_more_counts_until_it_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        drop(file::open(&path).unwrap());
        let readers = Readers::default();
        let (begun, mut has_begun) = tokio::sync::mpsc::channel(1);
        let endless = readers.run(async { path }, move |connection| {
            let sql =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
            let mut numbers = connection.prepare(sql)?;
            let mut rows = numbers.query([])?;
            while rows.next()?.is_some() {
                let _ = begun.try_send(()); // Once is enough.
            }
            Ok(())
        });

        tokio::select! {
            answer = endless => panic!("it ended: {answer:?}"),
            _ = has_begun.recv() => {}
        }

        let all = readers.0.acquire_many(u32::try_from(AT_ONCE).unwrap());
        let all = tokio::time::timeout(Duration::from_secs(60), all).await;
        assert!(all.is_ok(), "it goes on");
    }
}
