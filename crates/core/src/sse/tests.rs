//! Where events end, and what of them is kept.

use std::ops::ControlFlow;

use super::reader::SPARE;
use super::*;
use proptest::prelude::*;

fn read(chunks: &[&[u8]]) -> Vec<(String, String)> {
    let mut reader = Reader::default();
    let mut events = Vec::new();
    for chunk in chunks {
        let keep = |event: Event<'_>| {
            let data = String::from_utf8(event.data().unwrap().into_owned()).unwrap();
            events.push((event.name.to_owned(), data));
        };
        reader.push(chunk, keep).unwrap();
    }
    events
}

#[test]
fn events_end_with_a_blank_line_of_either_kind() {
    let events = read(&[b"event: a\ndata: 1\n\nevent: b\r\ndata: 2\r\n\r\n"]);

    assert_eq!(events, [("a".into(), "1".into()), ("b".into(), "2".into())]);
}

#[test]
fn lines_end_in_lf_crlf_or_cr_also_mixed() {
    let expected = [("a".to_owned(), "1".to_owned()), ("b".into(), "2".into())];
    for text in [
        "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n",
        "event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n",
        "event: a\rdata: 1\r\revent: b\rdata: 2\r\r",
        "event: a\r\ndata: 1\n\r\nevent: b\rdata: 2\r\n\r",
        "event: a\ndata: 1\r\n\nevent: b\ndata: 2\r\r\n",
        "\r\n\nevent: a\rdata: 1\n\revent: b\ndata: 2\n\r",
    ] {
        assert_eq!(read(&[text.as_bytes()]), expected, "{text:?}");
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&single), expected, "{text:?} byte by byte");
    }
}

#[test]
fn reading_stops_behind_the_event_at_which_it_is_asked_to() {
    for (end, text) in [
        ("\n", "event: a\n\nevent: b\n\nbehind"),
        ("\r\n", "event: a\r\n\r\nevent: b\r\n\r\nbehind"),
        ("\r", "event: a\r\revent: b\r\rbehind"),
    ] {
        let mut reader = Reader::default();

        let taken = reader.push_until(text.as_bytes(), |event| {
            if event.name == "b" {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });

        assert_eq!(taken, Ok(text.len() - "behind".len()), "{end:?}");
        assert!(!reader.is_midway(), "{end:?}");
    }
}

#[test]
fn a_long_event_keeps_its_name_wherever_that_stands() {
    let filler = "x".repeat(MAX_READ);
    for text in [
        format!("data: {filler}\nevent: name\n\n"),
        format!("data: {filler}\revent: name\r\r"),
        format!("data: {filler}\r\nevent:name\r\ndata: more\r\n\r\n"),
        // Cut off in the midst of the line with the name.
        format!(
            "data: {}\nevent: name\ndata: y\n\n",
            &filler[..MAX_READ - 12]
        ),
        format!("event: earlier\ndata: {filler}\nevent: name\n\n"),
        format!("event: name\ndata: {filler}\nevents: other\n: event: other\n\n"),
    ] {
        let text = format!("{text}event: short\n\n");
        for size in [text.len(), 4096, 7, MAX_READ + 1] {
            let mut reader = Reader::default();
            let mut names = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                reader
                    .push(chunk, |event| names.push(event.name.to_owned()))
                    .unwrap();
            }
            assert_eq!(
                names,
                ["name", "short"],
                "in pieces of {size}: {:.20}",
                text
            );
        }
    }
}

#[test]
fn several_data_lines_are_joined() {
    assert_eq!(
        read(&[b"data: 1\ndata:2\n\n"]),
        [(String::new(), "1\n2".into())]
    );
}

#[test]
fn an_endless_event_is_refused() {
    let mut reader = Reader::default();
    let chunk = vec![b'x'; MAX_EVENT / 2];

    assert_eq!(reader.push(&chunk, |_| ()), Ok(()));
    assert_eq!(reader.push(&chunk, |_| ()), Ok(()));
    assert_eq!(reader.push(&chunk, |_| ()), Err(Oversized));
    assert!(reader.rest.capacity() <= 2 * MAX_READ);
}

#[test]
fn a_long_event_has_its_name_and_no_data_wherever_it_is_cut() {
    let long = format!("event: long\ndata: {}\n\n", "x".repeat(MAX_READ));
    for size in [long.len(), 4096, MAX_READ + 1] {
        let mut reader = Reader::default();
        let mut seen = Vec::new();

        for chunk in long.as_bytes().chunks(size) {
            let note = |event: Event<'_>| seen.push((event.name == "long", event.data().is_some()));
            reader.push(chunk, note).unwrap();
        }

        assert_eq!(seen, [(true, false)], "in pieces of {size}");
        assert!(reader.rest.capacity() <= SPARE, "in pieces of {size}");
    }
}

#[test]
fn a_byte_order_mark_is_none_of_the_first_field() {
    assert_eq!(
        read(&[b"\xEF\xBB", b"\xBFevent: a\n\n"]),
        [("a".into(), String::new())]
    );
}

#[test]
fn unknown_fields_are_no_foreign_lines() {
    let mut foreign = Vec::new();

    Reader::default()
        .push(
            b"id: 1\nretry: 2\nx-trace: 3\ndata: {}\n\n{\"a\":1}\n\n",
            |event| {
                foreign.push(event.has_foreign_lines());
            },
        )
        .unwrap();

    assert_eq!(foreign, [false, true]);
}

#[test]
fn a_byte_order_mark_may_stand_before_any_line() {
    let twice = "event: a\n\u{feff}\u{feff}\ndata: 1\n\n"; // A field that nobody knows.
    assert_eq!(read(&[twice.as_bytes()]), [("a".into(), "1".into())]);
    let text = "\u{feff}event: a\n\u{feff}data: 1\n\u{feff}\nevent: b\ndata: \u{feff}2\n\n";

    assert_eq!(
        read(&[text.as_bytes()]),
        [("a".into(), "1".into()), ("b".into(), "\u{feff}2".into())]
    );
}

#[test]
fn lines_of_any_other_text_are_fields_that_nobody_knows() {
    for line in [
        "hello",
        "x.trace: 1",
        "数据: 1",
        "retry after: 3",
        " event: a",
        ":",
        "Data: 2",
    ] {
        let mut foreign = Vec::new();

        let text = format!("{line}\ndata: 1\n\n");
        Reader::default()
            .push(text.as_bytes(), |event| {
                foreign.push(event.has_foreign_lines());
            })
            .unwrap();

        assert_eq!(foreign, [false], "{line}");
    }
}

#[test]
fn a_line_of_html_in_a_stream_is_noticed() {
    let mut foreign = Vec::new();
    let text = b"data: {}\n\n<html><body>\n\n: a comment\n\n";

    Reader::default()
        .push(text, |event| foreign.push(event.has_foreign_lines()))
        .unwrap();

    assert_eq!(foreign, [false, true, false]);
}

proptest! {
    #[test]
    fn chunk_borders_do_not_matter(
        text in "(event: [a-c]{1,3}|data: [a-z ]{0,9}|: c|\r\n|\n|\r|\u{feff}){0,40}",
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();

        prop_assert_eq!(read(&chunks), read(&[bytes]));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut reader = Reader::default();
        prop_assert!(reader.push(&bytes, |event| drop(event.data())).is_ok());
    }
}
