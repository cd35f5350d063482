//! A filter as numbers of strings and shapes.

use std::collections::HashSet;

use rusqlite::Connection;
use zephyr_control::{RequestEnd, RequestFilter};

use super::candidate::Candidate;
use super::shapes::StoredShape;
use super::word::Word;
use crate::read::QueryError;
use crate::tables::{Coded, int, number_of};

pub(super) struct Filter {
    pub(super) since: i64,
    pub(super) until: i64,
    pub(super) session: Option<i64>,
    /// The shapes of the wanted endpoint, model, status and end. `None`: all.
    pub(super) shapes: Option<HashSet<i64>>,
    pub(super) words: Vec<Word>,
}

impl Filter {
    /// `None`: nothing can match.
    pub(super) fn of(
        connection: &Connection,
        filter: &RequestFilter,
    ) -> Result<Option<Self>, QueryError> {
        let number = |text: &Option<String>| match text {
            None => Ok(Some(None)),
            Some(text) => number_of(connection, text).map(|id| id.map(Some)),
        };
        let (Some(endpoint), Some(model), Some(session)) = (
            number(&filter.endpoint)?,
            number(&filter.model)?,
            number(&filter.session)?,
        ) else {
            return Ok(None);
        };
        let is_for_all =
            endpoint.is_none() && model.is_none() && filter.status.is_none() && !filter.failed;
        let words: Vec<&str> = filter
            .text
            .iter()
            .flat_map(|text| text.split_whitespace())
            .collect();
        let shapes = if is_for_all && words.is_empty() {
            Vec::new()
        } else {
            StoredShape::all(connection)?
        };
        let fits = |shape: &&StoredShape| {
            endpoint.is_none_or(|endpoint| shape.is_at(endpoint))
                && model.is_none_or(|model| shape.model == model || shape.served_model == model)
                && filter
                    .status
                    .is_none_or(|status| shape.status == i64::from(status))
                && (!filter.failed || shape.ended != RequestEnd::Answered.code())
        };
        let fitting =
            (!is_for_all).then(|| shapes.iter().filter(fits).map(|shape| shape.id).collect());
        let words = words
            .into_iter()
            .map(|word| Word::look_up(connection, word, &shapes))
            .collect::<Result<_, _>>()?;
        Ok(Some(Self {
            since: int(filter.since_ms.unwrap_or(0)),
            until: int(filter.until_ms.unwrap_or(u64::MAX)),
            session,
            shapes: fitting,
            words,
        }))
    }

    pub(super) fn matches(&self, row: &Candidate) -> bool {
        (self.since..self.until).contains(&row.at)
            && self.session.is_none_or(|session| row.session == session)
            && self
                .shapes
                .as_ref()
                .is_none_or(|shapes| shapes.contains(&row.shape))
    }
}
