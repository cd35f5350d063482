//! `zephyr usage`: sums of requests, from the running instance's journal.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zephyr_admin::export::usage_csv;
use zephyr_admin::instance::Running;
use zephyr_control::{Control, UsageBy, UsageQuery};

use crate::arguments::{SummedBy, Usage};
use crate::failure::Failure;
use crate::journal;
use crate::moment::Moment;
use crate::{output, remote};

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `zephyr usage`.
pub(crate) async fn show(config: Option<&Path>, asked: &Usage) -> Result<(), Failure> {
    let Running {
        client, snapshot, ..
    } = remote::find().await?;
    let (by, usual) = match asked.by {
        SummedBy::Endpoint => (UsageBy::Endpoint, 30 * A_DAY),
        SummedBy::Model => (UsageBy::Model, 30 * A_DAY),
        SummedBy::Day => (UsageBy::Day, 30 * A_DAY),
        SummedBy::Hour => (UsageBy::Hour, A_DAY),
        SummedBy::Session => (UsageBy::Session, 30 * A_DAY),
    };
    let (now, zone) = (Timestamp::now(), TimeZone::system());
    let since = asked.since.clone().unwrap_or(Moment::Ago(usual));
    let since_ms = Some(since.in_ms(now, &zone));
    let until = asked.until.as_ref();
    let query = UsageQuery {
        since_ms,
        until_ms: until.map(|until| until.in_ms(now, &zone)),
        by,
        split: None,
    };
    let report = client.usage(query).await?;
    output::print(&match (asked.json, asked.csv) {
        (true, _) => serde_json::to_string_pretty(&report)? + "\n",
        (false, true) => usage_csv(&report),
        (false, false) => {
            let look = output::look(remote::language_of(config, &snapshot));
            journal::usage(&report, by, since_ms, &look)
        }
    })
}
