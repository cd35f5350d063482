//! What many requests have in common: a row of `shapes`.

use rusqlite::{Connection, params};

/// All but stream, status and end are numbers of strings.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) method: i64,
    pub(super) path: i64,
    pub(super) client: i64,
    pub(super) model: i64,
    pub(super) served_model: i64,
    pub(super) endpoint: i64,
    pub(super) stop_reason: i64,
    pub(super) stream: i64,
    pub(super) status: i64,
    pub(super) ended: i64,
    /// The endpoints of its attempts, each once, in order.
    pub(super) tried: Vec<i64>,
}

impl Shape {
    /// Its number in the table, which it is added to if it is new.
    pub(super) fn number(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let tried: String = self.tried.iter().map(|id| format!("{id},")).collect();
        let values = params![
            self.method,
            self.path,
            self.client,
            self.model,
            self.served_model,
            self.endpoint,
            self.stop_reason,
            self.stream,
            self.status,
            self.ended,
            format!(",{tried}"),
        ];
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO shapes (method, path, client, model, served_model, endpoint, \
                 stop_reason, stream, status, ended, tried) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(values)?;
        connection
            .prepare_cached(
                "SELECT id FROM shapes WHERE method = ?1 AND path = ?2 AND client = ?3 AND model = ?4 \
                 AND served_model = ?5 AND endpoint = ?6 AND stop_reason = ?7 AND stream = ?8 \
                 AND status = ?9 AND ended = ?10 AND tried = ?11",
            )?
            .query_row(values, |row| row.get(0))
    }
}
