//! `zephyr logs`: requests from the running instance's journal. The oldest comes first, so that the newest
//! are at the end, next to the prompt.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::sleep;
use zephyr_admin::client::Client;
use zephyr_admin::export::Format;
use zephyr_admin::instance::Running;
use zephyr_control::{Control, Paging, RequestFilter, RequestRecord, Snapshot};

use crate::arguments::{Filter, Logs};
use crate::failure::Failure;
use crate::journal::{self, Table};
use crate::names;
use crate::output::{self, Reader};
use crate::remote;
use crate::terminal::Look;

/// The time between two queries for new requests.
const PAUSE: Duration = Duration::from_secs(1);
/// The most records per query.
const PAGE: u32 = 1000;

/// `zephyr logs`.
pub(crate) async fn show(config: Option<&Path>, asked: Logs) -> Result<(), Failure> {
    let Running {
        client, snapshot, ..
    } = remote::find().await?;
    let look = output::look(remote::language_of(config, &snapshot));
    if let Some(id) = asked.id {
        return one(&client, id, asked.json, &look).await;
    }
    let mut printer = match (asked.json, asked.csv) {
        (true, _) => Printer::Lines(Format::JsonLines),
        (false, true) => Printer::Lines(Format::Csv),
        (false, false) if asked.follow => Printer::Table(Table::with_room(look)),
        (false, false) => Printer::Table(Table::new(look)),
    };
    let filter = filter(asked.filter, &snapshot);
    let records = newest(&client, &filter, asked.limit).await?;
    let last = records.iter().map(|record| record.id).max();
    let first = match asked.follow {
        true => printer.begin() + &printer.lines(&records),
        false => printer.all(&records),
    };
    let reader = output::write(&first)?;
    if !asked.follow || reader == Reader::Left {
        return Ok(());
    }
    follow(&client, &filter, &mut printer, last.unwrap_or_default()).await
}

async fn one(client: &Client, id: u64, json: bool, look: &Look) -> Result<(), Failure> {
    let detail = client.request(id).await?;
    output::print(&if json {
        serde_json::to_string_pretty(&detail)? + "\n"
    } else {
        journal::detail(&detail, look)
    })
}

/// `zephyr why`.
pub(crate) async fn why(config: Option<&Path>, id: Option<u64>, json: bool) -> Result<(), Failure> {
    let Running {
        client, snapshot, ..
    } = remote::find().await?;
    let record = match id {
        Some(id) => Some(client.request(id).await?.record),
        None => newest(&client, &RequestFilter::default(), 1).await?.pop(),
    };
    let look = output::look(remote::language_of(config, &snapshot));
    let Some(record) = record else {
        return output::print(&Table::new(look).empty());
    };
    output::print(&if json {
        serde_json::to_string_pretty(&record.attempts)? + "\n"
    } else {
        journal::why(&record, &look)
    })
}

/// The newest records that match, oldest first.
async fn newest(
    client: &Client,
    filter: &RequestFilter,
    limit: u32,
) -> Result<Vec<RequestRecord>, Failure> {
    let mut records = Vec::new();
    let mut before = None;
    let mut wanted = limit;
    while wanted > 0 {
        let paging = Paging {
            before,
            after: None,
            limit: Some(wanted.min(PAGE)),
        };
        let page = client.requests(filter.clone(), paging).await?;
        let got = u32::try_from(page.requests.len()).unwrap_or(u32::MAX);
        wanted = wanted.saturating_sub(got);
        records.extend(page.requests);
        before = page.next;
        if before.is_none() || got == 0 {
            break;
        }
    }
    records.reverse();
    Ok(records)
}

/// Prints the records after `last`, until the reader of stdout leaves.
async fn follow(
    client: &Client,
    filter: &RequestFilter,
    printer: &mut Printer,
    mut last: u64,
) -> Result<(), Failure> {
    loop {
        let paging = Paging {
            before: None,
            after: Some(last),
            limit: Some(PAGE),
        };
        let page = client.requests(filter.clone(), paging).await?;
        if let Some(newest) = page.requests.iter().map(|record| record.id).max() {
            last = newest;
            if output::write(&printer.lines(&page.requests))? == Reader::Left {
                return Ok(());
            }
        }
        if page.next.is_none() || page.requests.is_empty() {
            sleep(PAUSE).await;
        }
    }
}

fn filter(asked: Filter, snapshot: &Snapshot) -> RequestFilter {
    let (now, zone) = (Timestamp::now(), TimeZone::system());
    RequestFilter {
        since_ms: asked.since.map(|since| since.in_ms(now, &zone)),
        until_ms: asked.until.map(|until| until.in_ms(now, &zone)),
        endpoint: asked.endpoint.map(|typed| endpoint(typed, snapshot)),
        model: asked.model,
        session: asked.session,
        status: asked.status,
        failed: asked.failed,
        text: asked.search,
    }
}

/// The endpoint that was meant. A name that the configuration does not know is kept, because the journal also
/// has removed endpoints.
fn endpoint(typed: String, snapshot: &Snapshot) -> String {
    let known = snapshot.endpoints.iter();
    let resolved = names::resolve(&typed, known.map(|endpoint| endpoint.name.as_str()));
    resolved.map(str::to_owned).unwrap_or(typed)
}

enum Printer {
    Table(Table),
    Lines(Format),
}

impl Printer {
    /// All records, or a text that there are none.
    fn all(&mut self, records: &[RequestRecord]) -> String {
        match self {
            Self::Table(table) if records.is_empty() => table.empty(),
            Self::Table(_) | Self::Lines(_) => self.begin() + &self.lines(records),
        }
    }

    fn begin(&self) -> String {
        match self {
            Self::Table(_) => String::new(),
            Self::Lines(format) => format.head(),
        }
    }

    fn lines(&mut self, records: &[RequestRecord]) -> String {
        match self {
            Self::Table(table) => table.rows(records),
            Self::Lines(format) => format.lines(records),
        }
    }
}
