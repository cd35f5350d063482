//! What is read, what is refused, and where.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn skipped(text: &[u8]) -> Result<(), Broken> {
    let mut json = Json::new(text);
    json.skip()?;
    json.end()
}

fn scalar(text: &str) -> Scalar<'_> {
    Json::new(text.as_bytes()).scalar().unwrap()
}

#[test]
fn what_any_client_reads_passes() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let deep_objects = r#"{"a":"#.repeat(300) + "1" + &"}".repeat(300);
    for text in [
        &br#"{"a":"\ud83d"}"#[..],
        br#"{"\udc00":1}"#,
        br#"{"a":1,"a":2}"#,
        b"1e400",
        b"-1e-400",
        b"123456789012345678901234567890",
        b"[NaN, Infinity, -Infinity]",
        b"\"\\u0000 \xff\xfe \x7f\"",
        b" \t\r\n{ \"a\" : [ ] , \"b\" : { } } \r\n",
        deep.as_bytes(),
        deep_objects.as_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
        assert_eq!(skipped(text), Ok(()), "{shown}");
    }
}

#[test]
fn what_no_client_reads_is_refused_where_it_goes_wrong() {
    let cases: [(&[u8], usize); 14] = [
        (b"oops", 0),
        (b"{}{}", 2),
        (b"{'a':1}", 1),
        (br#"{"a":1,}"#, 7),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b"01", 1),
        (b"+1", 0),
        (b"1.e5", 2),
        (b"\"\x00\"", 1),
        (br#""\x""#, 2),
        (br#""\u12g4""#, 5),
        (b"[1}", 2),
        (b"nulx", 3),
    ];
    for (text, at) in cases {
        let shown = String::from_utf8_lossy(text);
        let expected = Broken {
            at,
            is_early_end: false,
        };
        assert_eq!(skipped(text), Err(expected), "{shown}");
    }
}

#[test]
fn a_text_that_breaks_off_is_told_from_one_that_goes_wrong() {
    let whole = br#"{"a":[1.5e3,"\u00e9\n",null,true,false,{}],"b":-7}"#;
    for end in 0..whole.len() {
        let broken = skipped(&whole[..end]).unwrap_err();
        assert!(broken.is_early_end, "up to {end}");
        assert_eq!(broken.at, end);
    }
}

#[test]
fn half_a_surrogate_pair_becomes_a_replacement_character() {
    let text = |text: &str| match scalar(text) {
        Scalar::Text(text) => text.into_owned(),
        other @ (Scalar::Null | Scalar::Bool(_) | Scalar::Number(_)) => panic!("{other:?}"),
    };

    assert_eq!(text(r#""a\ud83d""#), "a\u{fffd}");
    assert_eq!(text(r#""\ud83d\ude00!""#), "\u{1f600}!");
    assert_eq!(text(r#""\ude00\ud83d""#), "\u{fffd}\u{fffd}");
    assert_eq!(text(r#""\ud83dA""#), "\u{fffd}A");
}

#[test]
fn a_natural_number_is_one_however_it_is_written() {
    for (text, number) in [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("7.0", Some(7)),
        ("1e2", Some(100)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("0.5", None),
        ("-1", None),
        ("1e400", None),
        ("NaN", None),
    ] {
        assert_eq!(scalar(text), Scalar::Number(number), "{text}");
    }
}

#[test]
fn names_are_compared_as_they_are_meant() {
    let mut seen = Vec::new();
    let mut json = Json::new(br#"{"\u0074ype":1,"a\/b":2}"#);

    let read = json.object(|name, _| {
        seen.push(String::from_utf8_lossy(name).into_owned());
        Ok(Field::Unread)
    });

    assert_eq!((read, seen), (Ok(()), vec!["type".into(), "a/b".into()]));
}

/// Reads everything, by recursion.
fn rebuilt(json: &mut Json<'_>) -> Result<Value, Broken> {
    Ok(match json.kind()? {
        Kind::Object => {
            let mut fields = serde_json::Map::new();
            json.object(|name, json| {
                let name = String::from_utf8_lossy(name).into_owned();
                fields.insert(name, rebuilt(json)?);
                Ok(Field::Read)
            })?;
            Value::Object(fields)
        }
        Kind::List => {
            let mut elements = Vec::new();
            json.list(|json| {
                elements.push(rebuilt(json)?);
                Ok(())
            })?;
            Value::Array(elements)
        }
        Kind::Scalar => match json.scalar()? {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(Some(number)) => number.into(),
            Scalar::Number(None) => "a number".into(),
            Scalar::Text(text) => text.into_owned().into(),
        },
    })
}

/// The same, where the only difference is how a number is kept.
fn simplified(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(natural) => natural.into(),
            None => match number.as_f64() {
                Some(float) if float.is_sign_positive() && float.fract() == 0.0 && float < 9e15 => {
                    format!("{float:.0}").parse::<u64>().unwrap().into()
                }
                _ => "a number".into(),
            },
        },
        Value::Array(elements) => elements.into_iter().map(simplified).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name, simplified(value)))
                    .collect(),
            )
        }
        other @ (Value::Null | Value::Bool(_) | Value::String(_)) => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_reads_what_serde_json_reads(
        text in r#"([\[\]{},:]|"(a|\\n|\\u00e9|\\ud83d\\ude00|é){0,20}"|(0|-?[1-9][0-9]{0,2})(\.[0-9])?(e1)?|null|true| ){0,12}"#,
    ) {
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                let mut json = Json::new(text.as_bytes());
                let read = rebuilt(&mut json).and_then(|value| json.end().map(|()| value));
                prop_assert_eq!(read, Ok(simplified(value)));
                prop_assert_eq!(skipped(text.as_bytes()), Ok(()));
            }
            // JSON has no largest number; serde_json has.
            Err(error) if error.to_string().starts_with("number out of range") => {}
            Err(_) => prop_assert!(skipped(text.as_bytes()).is_err()),
        }
    }

    #[test]
    fn reading_and_skipping_agree(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut json = Json::new(&bytes);
        let read = rebuilt(&mut json).and_then(|_| json.end());

        prop_assert_eq!(read, skipped(&bytes));
    }
}
