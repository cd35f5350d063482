//! Words by their trigrams.
//!
//! A word of less than three characters, as Chinese has many, has none: it is found by all trigrams that
//! begin with it. The index has no positions, so what it finds is read and compared.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Connection;

use crate::tables::int;

/// Most trigrams that a short word stands for in bodies.
const BEGINNINGS: usize = 5000;
/// The same among strings. A word with more of them is looked for in every string.
const FEW: usize = 64;

/// The strings that contain the word, which has to be in lower case.
pub(super) fn strings_with(connection: &Connection, word: &str) -> rusqlite::Result<HashSet<i64>> {
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
        // It is in so many strings that looking at each is faster.
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

/// The full-text query that finds the word in bodies. `None`: no body has it.
pub(super) fn expression(connection: &Connection, word: &str) -> rusqlite::Result<Option<String>> {
    let trigrams = trigrams(word);
    if !trigrams.is_empty() {
        return Ok(Some(all_of(&trigrams)));
    }
    let terms = beginning_with(connection, Terms::Recordings, word, BEGINNINGS)?;
    Ok((!terms.is_empty()).then(|| any_of(&terms)))
}

/// At most `most` trigrams that begin with a word that is shorter than one.
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

/// Where the trigrams occur.
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
