//! The shapes, of which there are few enough to look at each.

use std::collections::HashSet;

use rusqlite::Connection;

/// A row of `shapes`.
pub(super) struct StoredShape {
    pub(super) id: i64,
    pub(super) model: i64,
    pub(super) served_model: i64,
    pub(super) endpoint: i64,
    pub(super) status: i64,
    pub(super) ended: i64,
    /// The other strings: method, path, client, stop reason.
    pub(super) others: [i64; 4],
    pub(super) tried: Vec<i64>,
}

impl StoredShape {
    pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
        let sql = "SELECT id, model, served_model, endpoint, status, ended, method, path, client, \
                   stop_reason, tried FROM shapes";
        let mut select = connection.prepare_cached(sql)?;
        let shapes = select.query_map([], |row| {
            let tried: String = row.get(10)?;
            Ok(Self {
                id: row.get(0)?,
                model: row.get(1)?,
                served_model: row.get(2)?,
                endpoint: row.get(3)?,
                status: row.get(4)?,
                ended: row.get(5)?,
                others: [row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?],
                tried: tried.split(',').filter_map(|id| id.parse().ok()).collect(),
            })
        })?;
        shapes.collect()
    }

    pub(super) fn is_at(&self, endpoint: i64) -> bool {
        self.endpoint == endpoint || self.tried.contains(&endpoint)
    }

    pub(super) fn is_found(&self, word: &str, strings: &HashSet<i64>) -> bool {
        let first = [self.model, self.served_model, self.endpoint];
        let all = first.iter().chain(&self.others).chain(&self.tried);
        all.into_iter().any(|string| strings.contains(string)) || word.parse() == Ok(self.status)
    }
}
