//! What is compared of a request.

use rusqlite::Row;

/// The columns that are compared. All but `id` and `at` are numbers of strings or of a shape.
pub(super) struct Candidate {
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) shape: i64,
    pub(super) session: i64,
    pub(super) agent: i64,
    pub(super) error: i64,
    pub(super) run: i64,
}

impl Candidate {
    pub(super) const SQL: &'static str = "SELECT id, at_ms, shape, session, agent, error, run \
         FROM requests WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            shape: row.get(2)?,
            session: row.get(3)?,
            agent: row.get(4)?,
            error: row.get(5)?,
            run: row.get(6)?,
        })
    }
}
