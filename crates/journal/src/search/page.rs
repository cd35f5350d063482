//! A page of the requests that match.

use rusqlite::Connection;
use zephyr_control::{Paging, RequestFilter, RequestPage, RequestRecord};

use super::filter::Filter;
use super::walk::Walk;
use crate::read::{QueryError, Records};
use crate::tables::whole;

/// Records of a page, by default and at most.
const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

pub(crate) fn page(
    connection: &Connection,
    filter: &RequestFilter,
    paging: Paging,
) -> Result<RequestPage, QueryError> {
    let most = paging.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE) as usize;
    let Some(wanted) = Filter::of(connection, filter)? else {
        return Ok(RequestPage::default());
    };
    let mut ids = Vec::new();
    Walk::new(connection, paging)?.run(&wanted, most + 1, &mut ids)?;
    let has_more = ids.len() > most;
    ids.truncate(most);
    let next = ids.last().filter(|_| has_more).map(|id| whole(*id));
    let mut records = Records::new(connection);
    let mut requests: Vec<RequestRecord> = Vec::with_capacity(ids.len());
    for id in ids {
        requests.extend(records.read(id)?);
    }
    Ok(RequestPage { requests, next })
}
