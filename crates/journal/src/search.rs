//! Requests by filter and by word.
//!
//! Nothing here walks through all requests. What is asked for is first looked up among shapes and strings,
//! of which there are few; these say in which blocks a request can be; only those blocks are read, from
//! the end that is asked for, until the page is full. Blocks are taken in windows that grow, so that a
//! frequent thing is found in the first and a rare one costs a few look-ups.
//!
//! Words in recordings are found by their trigrams. A word of less than three letters, as Chinese has
//! many, has none: it is found by all trigrams that begin with it. Since positions are not kept, what was
//! found is looked into.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, Row};
use zephyr_control::{Paging, RequestEnd, RequestFilter, RequestPage, RequestRecord};

use crate::codes::{Coded, int, whole};
use crate::query::QueryError;
use crate::requests::{Records, words_of};
use crate::schema::BLOCK;
use crate::store::name_of;
use crate::sums::number_of;

/// Records of a page, if nothing is said, and at most.
const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1000;

/// Blocks of the first window.
const WINDOW: i64 = 8;

/// With more strings than these a word is everywhere anyway, so that blocks are not asked for it.
const SELECTIVE: usize = 2000;
/// Most trigrams that a short word stands for.
const BEGINNINGS: usize = 5000;
/// The same among strings.
const FEW: usize = 64;

/// A part of the requests that match.
pub(crate) fn page(
    connection: &Connection,
    filter: &RequestFilter,
    paging: Paging,
) -> Result<RequestPage, QueryError> {
    let most = paging.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE) as usize;
    let Some(wanted) = Wanted::of(connection, filter)? else {
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

/// A filter, as numbers.
struct Wanted {
    since: i64,
    until: i64,
    session: Option<i64>,
    /// The shapes that satisfy what is said of endpoint, model, status and end; `None`: all do.
    shapes: Option<HashSet<i64>>,
    words: Vec<Word>,
}

/// Where a word occurs.
struct Word {
    text: String,
    shapes: HashSet<i64>,
    strings: HashSet<i64>,
    /// The requests of that name.
    named: HashSet<i64>,
    /// What finds it in recordings.
    expression: Option<String>,
}

impl Wanted {
    /// `None`: nothing can match.
    fn of(connection: &Connection, filter: &RequestFilter) -> Result<Option<Self>, QueryError> {
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
            Shape::all(connection)?
        };
        let fits = |shape: &&Shape| {
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

    fn takes(&self, row: &Candidate) -> bool {
        (self.since..self.until).contains(&row.at)
            && self.session.is_none_or(|session| row.session == session)
            && self
                .shapes
                .as_ref()
                .is_none_or(|shapes| shapes.contains(&row.shape))
    }
}

impl Word {
    fn look_up(connection: &Connection, word: &str, shapes: &[Shape]) -> Result<Self, QueryError> {
        let text = word.to_lowercase();
        let strings = strings_with(connection, &text)?;
        let named = match name_of(word) {
            (run, Some(number)) => match number_of(connection, run)? {
                Some(run) => named(connection, run, number)?,
                None => HashSet::new(),
            },
            (_, None) => HashSet::new(),
        };
        let has = |shape: &&Shape| shape.is_found(&text, &strings);
        Ok(Self {
            shapes: shapes.iter().filter(has).map(|shape| shape.id).collect(),
            strings,
            named,
            expression: expression(connection, &text)?,
            text,
        })
    }

    /// Whether it is in the record itself.
    fn is_in(&self, row: &Candidate) -> bool {
        let strings = [row.session, row.agent, row.error, row.run];
        self.shapes.contains(&row.shape)
            || strings.iter().any(|string| self.strings.contains(string))
            || self.named.contains(&row.id)
    }
}

/// What is looked at of a row.
struct Candidate {
    id: i64,
    at: i64,
    shape: i64,
    session: i64,
    agent: i64,
    error: i64,
    run: i64,
}

impl Candidate {
    const SQL: &'static str = "SELECT id, at_ms, shape, session, agent, error, run \
         FROM requests WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    NewestFirst,
    OldestFirst,
}

/// A walk over numbers of requests, from the end that is asked for.
struct Walk<'a> {
    connection: &'a Connection,
    direction: Direction,
    first: i64,
    last: i64,
}

impl<'a> Walk<'a> {
    fn new(connection: &'a Connection, paging: Paging) -> rusqlite::Result<Self> {
        let bound = |sql| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let first = bound("SELECT min(id) FROM requests")?.unwrap_or(1);
        let last = bound("SELECT max(id) FROM requests")?.unwrap_or(0);
        let after = paging.after.map_or(i64::MIN, int);
        let before = paging.before.map_or(i64::MAX, int);
        Ok(Self {
            connection,
            direction: if paging.after.is_some() {
                Direction::OldestFirst
            } else {
                Direction::NewestFirst
            },
            first: first.max(after.saturating_add(1)),
            last: last.min(before.saturating_sub(1)),
        })
    }

    /// Collects at most `most` that are wanted.
    fn run(mut self, wanted: &Wanted, most: usize, ids: &mut Vec<i64>) -> Result<(), QueryError> {
        let mut size = WINDOW;
        while self.first <= self.last && ids.len() < most {
            let (from, to) = self.window(size);
            self.look_through(from, to, wanted, most, ids)?;
            size *= 2;
        }
        Ok(())
    }

    /// The next numbers, to the end of a block.
    fn window(&mut self, blocks: i64) -> (i64, i64) {
        match self.direction {
            Direction::NewestFirst => {
                let block = self.last / BLOCK - (blocks - 1);
                let window = (self.first.max(block * BLOCK), self.last);
                self.last = window.0 - 1;
                window
            }
            Direction::OldestFirst => {
                let block = self.first / BLOCK + blocks;
                let window = (self.first, self.last.min(block * BLOCK - 1));
                self.first = window.1 + 1;
                window
            }
        }
    }

    fn look_through(
        &self,
        from: i64,
        to: i64,
        wanted: &Wanted,
        most: usize,
        ids: &mut Vec<i64>,
    ) -> Result<(), QueryError> {
        let window = Window {
            connection: self.connection,
            from,
            to,
        };
        let mut blocks = window.in_time(wanted)?;
        if let Some(shapes) = &wanted.shapes {
            keep(&mut blocks, &window.with_any(Table::Shapes, shapes)?);
        }
        if let Some(session) = wanted.session {
            keep(
                &mut blocks,
                &window.with_any(Table::Strings, &HashSet::from([session]))?,
            );
        }
        let mut hits = Vec::with_capacity(wanted.words.len());
        for word in &wanted.words {
            if blocks.is_empty() {
                return Ok(());
            }
            let found = window.recordings_with(word)?;
            if word.shapes.len() + word.strings.len() <= SELECTIVE {
                let mut of_word = window.with_any(Table::Shapes, &word.shapes)?;
                of_word.append(&mut window.with_any(Table::Strings, &word.strings)?);
                of_word.extend(found.iter().chain(&word.named).map(|id| id / BLOCK));
                keep(&mut blocks, &of_word);
            }
            hits.push(found);
        }
        let mut in_order: Vec<i64> = blocks.into_iter().collect();
        if self.direction == Direction::NewestFirst {
            in_order.reverse();
        }
        for block in in_order {
            for row in window.rows(block, self.direction)? {
                if wanted.takes(&row) && self.has_words(&row, &wanted.words, &hits)? {
                    ids.push(row.id);
                    if ids.len() == most {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn has_words(
        &self,
        row: &Candidate,
        words: &[Word],
        hits: &[HashSet<i64>],
    ) -> Result<bool, QueryError> {
        let mut missing = Vec::new();
        for (word, hits) in words.iter().zip(hits) {
            if !word.is_in(row) {
                if !hits.contains(&row.id) {
                    return Ok(false);
                }
                missing.push(&word.text);
            }
        }
        if missing.is_empty() {
            return Ok(true);
        }
        let recorded = words_of(self.connection, row.id)?;
        Ok(missing.iter().all(|word| recorded.contains(word.as_str())))
    }
}

#[derive(Clone, Copy)]
enum Table {
    Shapes,
    Strings,
}

/// A range of numbers of requests.
struct Window<'a> {
    connection: &'a Connection,
    from: i64,
    to: i64,
}

impl Window<'_> {
    /// The blocks that have requests of the time that is asked for.
    fn in_time(&self, wanted: &Wanted) -> rusqlite::Result<BTreeSet<i64>> {
        self.connection
            .prepare_cached(
                "SELECT block FROM blocks WHERE block BETWEEN ?1 AND ?2 AND last_ms >= ?3 AND first_ms < ?4",
            )?
            .query_map([self.from / BLOCK, self.to / BLOCK, wanted.since, wanted.until], |row| row.get(0))?
            .collect()
    }

    /// The blocks in which one of these occurs.
    fn with_any(&self, table: Table, ids: &HashSet<i64>) -> rusqlite::Result<BTreeSet<i64>> {
        let sql = match table {
            Table::Shapes => {
                "SELECT block FROM shape_blocks WHERE shape = ?1 AND block BETWEEN ?2 AND ?3"
            }
            Table::Strings => {
                "SELECT block FROM string_blocks WHERE string = ?1 AND block BETWEEN ?2 AND ?3"
            }
        };
        let mut select = self.connection.prepare_cached(sql)?;
        let mut blocks = BTreeSet::new();
        for id in ids {
            let mut rows = select.query([*id, self.from / BLOCK, self.to / BLOCK])?;
            while let Some(row) = rows.next()? {
                blocks.insert(row.get(0)?);
            }
        }
        Ok(blocks)
    }

    /// The recordings that have every trigram of the word.
    fn recordings_with(&self, word: &Word) -> rusqlite::Result<HashSet<i64>> {
        let Some(expression) = &word.expression else {
            return Ok(HashSet::new());
        };
        self.connection
            .prepare_cached(
                "SELECT rowid FROM recording_search \
                 WHERE recording_search MATCH ?1 AND rowid BETWEEN ?2 AND ?3",
            )?
            .query_map(rusqlite::params![expression, self.from, self.to], |row| {
                row.get(0)
            })?
            .collect()
    }

    fn rows(&self, block: i64, direction: Direction) -> rusqlite::Result<Vec<Candidate>> {
        let from = self.from.max(block * BLOCK);
        let to = self.to.min(block * BLOCK + BLOCK - 1);
        let mut rows: Vec<Candidate> = self
            .connection
            .prepare_cached(Candidate::SQL)?
            .query_map([from, to], Candidate::read)?
            .collect::<Result<_, _>>()?;
        if direction == Direction::NewestFirst {
            rows.reverse();
        }
        Ok(rows)
    }
}

fn keep(blocks: &mut BTreeSet<i64>, those: &BTreeSet<i64>) {
    blocks.retain(|block| those.contains(block));
}

/// A row of `shapes`.
struct Shape {
    id: i64,
    model: i64,
    served_model: i64,
    endpoint: i64,
    status: i64,
    ended: i64,
    /// What else has words: method, path, client, stop reason.
    others: [i64; 4],
    tried: Vec<i64>,
}

impl Shape {
    fn all(connection: &Connection) -> rusqlite::Result<Vec<Self>> {
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

    fn is_at(&self, endpoint: i64) -> bool {
        self.endpoint == endpoint || self.tried.contains(&endpoint)
    }

    fn is_found(&self, word: &str, strings: &HashSet<i64>) -> bool {
        let first = [self.model, self.served_model, self.endpoint];
        let all = first.iter().chain(&self.others).chain(&self.tried);
        all.into_iter().any(|string| strings.contains(string)) || word.parse() == Ok(self.status)
    }
}

/// The requests of this number in their run. Numbers are given as requests come and written as they end, so
/// few blocks can have it.
fn named(connection: &Connection, run: i64, number: i64) -> rusqlite::Result<HashSet<i64>> {
    let mut blocks = connection.prepare_cached(
        "SELECT blocks.block FROM blocks JOIN string_blocks USING (block) \
         WHERE string = ?1 AND ?2 BETWEEN first_number AND last_number",
    )?;
    let mut requests = connection.prepare_cached(
        "SELECT id FROM requests WHERE id BETWEEN ?1 AND ?2 AND run = ?3 AND number = ?4",
    )?;
    let mut ids = HashSet::new();
    let mut rows = blocks.query([run, number])?;
    while let Some(row) = rows.next()? {
        let first = row.get::<_, i64>(0)? * BLOCK;
        let found =
            requests.query_map([first, first + BLOCK - 1, run, number], |row| row.get(0))?;
        for id in found {
            ids.insert(id?);
        }
    }
    Ok(ids)
}

/// The strings that contain the word, which is in lower case.
fn strings_with(connection: &Connection, word: &str) -> rusqlite::Result<HashSet<i64>> {
    let trigrams = trigrams(word);
    let beginnings = if trigrams.is_empty() {
        beginning_with(connection, Terms::Strings, word, FEW)?
    } else {
        Vec::new()
    };
    let expression = if trigrams.is_empty() {
        any_of(&beginnings)
    } else {
        all_of(&trigrams)
    };
    if trigrams.is_empty() && beginnings.is_empty() {
        return Ok(HashSet::new());
    }
    if beginnings.len() == FEW {
        // It is in so many that it is quicker to look at each.
        let mut select =
            connection.prepare_cached("SELECT id FROM strings WHERE text LIKE ?1 ESCAPE '\\'")?;
        let like = word
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        let ids = select.query_map([format!("%{like}%")], |row| row.get(0))?;
        return ids.collect();
    }
    let mut select = connection.prepare_cached(
        "SELECT strings.id, strings.text FROM string_search JOIN strings ON strings.id = string_search.rowid \
         WHERE string_search MATCH ?1",
    )?;
    let mut rows = select.query([expression])?;
    let mut ids = HashSet::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        if text.to_lowercase().contains(word) {
            ids.insert(row.get(0)?);
        }
    }
    Ok(ids)
}

/// What finds the word in recordings; `None`: nothing does.
fn expression(connection: &Connection, word: &str) -> rusqlite::Result<Option<String>> {
    let trigrams = trigrams(word);
    if !trigrams.is_empty() {
        return Ok(Some(all_of(&trigrams)));
    }
    let terms = beginning_with(connection, Terms::Recordings, word, BEGINNINGS)?;
    Ok((!terms.is_empty()).then(|| any_of(&terms)))
}

/// At most so many trigrams that begin with a word that is shorter.
fn beginning_with(
    connection: &Connection,
    terms: Terms,
    word: &str,
    most: usize,
) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare_cached(match terms {
        Terms::Strings => "SELECT term FROM string_terms WHERE term >= ?1 AND term < ?2 LIMIT ?3",
        Terms::Recordings => {
            "SELECT term FROM recording_terms WHERE term >= ?1 AND term < ?2 LIMIT ?3"
        }
    })?;
    let behind = format!("{word}{}", char::MAX);
    let most = int(most as u64);
    let terms = select.query_map(rusqlite::params![word, behind, most], |row| row.get(0))?;
    terms.collect()
}

/// Of what the trigrams are.
#[derive(Clone, Copy)]
enum Terms {
    Strings,
    Recordings,
}

fn trigrams(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let all = letters.windows(3).map(|three| three.iter().collect());
    all.collect::<BTreeSet<String>>().into_iter().collect()
}

fn all_of(terms: &[String]) -> String {
    joined(terms, " AND ")
}

fn any_of(terms: &[String]) -> String {
    joined(terms, " OR ")
}

fn joined(terms: &[String], by: &str) -> String {
    let quoted = terms
        .iter()
        .map(|term| format!("\"{}\"", term.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(by)
}
