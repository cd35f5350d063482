//! A known secret goes in every spelling, and nothing else does.

use proptest::prelude::*;
use zephyr_redact::{GONE, Redactor};

/// Secrets as they are sent: visible ASCII.
fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[!-~]{8,60}",
        "[A-Za-z0-9_-]{8,60}",
        r#"[%\\&#;/"'+=u0-9a-f]{8,40}"#,
    ]
}

/// Text in which secrets stand, also half escapes.
fn surroundings() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        r#"[%\\&#;/"'+=ux0-9a-f ]{0,20}"#,
        r#"\{"text":"[a-z ]{0,20}(\\n)?"#,
    ]
}

/// Each character by itself goes through up to three encoders, whichever its number says.
fn spell(secret: &str, choices: &[u32]) -> String {
    let choices = choices.iter().copied().cycle();
    let spelled = secret.chars().zip(choices).map(|(sign, choice)| {
        let encoders = [choice, choice >> 8, choice >> 16].map(|choice| choice % 256);
        let encoders = &encoders[..(choice >> 24) as usize % 4];
        encoders.iter().fold(sign.to_string(), |text, encoder| {
            text.chars()
                .map(|sign| encoded(sign, *encoder, text.len() > 1))
                .collect()
        })
    });
    spelled.collect()
}

/// The character as an encoder writes it. Most leave letters and digits alone in what is encoded already.
fn encoded(sign: char, encoder: u32, is_again: bool) -> String {
    const NAMES: &[(char, &str)] = &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&apos;"),
        ('/', "&sol;"),
        ('+', "&plus;"),
        ('=', "&equals;"),
        ('%', "&percnt;"),
        ('\\', "&bsol;"),
        ('_', "&lowbar;"),
    ];
    let takes_all = encoder >= 192;
    if is_again && !takes_all && sign.is_ascii_alphanumeric() {
        return sign.to_string();
    }
    let code = u32::from(sign);
    match encoder % 13 {
        0 => format!("%{code:02X}"),
        1 => format!("%{code:02x}"),
        2 => format!("\\u{code:04x}"),
        3 => format!("\\u{code:04X}"),
        4 if sign.is_ascii_punctuation() => format!("\\{sign}"),
        5 => format!("&#{code};"),
        6 => format!("&#x{code:X};"),
        7 => format!("&#{code:05};"),
        8 if let Some((_, name)) = NAMES.iter().find(|(named, _)| *named == sign) => {
            (*name).to_owned()
        }
        9 => format!("\\x{code:02x}"),
        10 => format!("\\u{{{code:x}}}"),
        11 => format!("%u{code:04X}"),
        12 => format!("\\{code:03o}"),
        _ => sign.to_string(),
    }
}

fn base64(bytes: &[u8], alphabet: &[u8; 64], is_padded: bool) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for number in 0..=three.len() {
            let value = bits >> (18 - 6 * number) & 63;
            text.push(char::from(alphabet[value as usize]));
        }
        if is_padded {
            (three.len()..3).for_each(|_| text.push('='));
        }
    }
    text
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_secret_goes_in_whatever_escapes_its_characters_stand(
        secret in secrets(),
        choices in prop::collection::vec(any::<u32>(), 1..60),
        before in surroundings(),
        behind in surroundings(),
    ) {
        let spelled = spell(&secret, &choices);
        let text = format!("{before}{spelled}{behind}");

        let redacted = Redactor::of([secret.as_str()]).text(&text);

        prop_assert!(redacted.contains(GONE), "{text:?}");
        prop_assert!(!redacted.contains(&spelled), "{text:?} became {redacted:?}");
        prop_assert!(!redacted.contains(&secret), "{text:?} became {redacted:?}");
    }

    #[test]
    fn a_secret_goes_from_base64_and_hex_in_whatever_place_it_stands(
        secret in secrets(),
        before in prop::collection::vec(any::<u8>(), 0..20),
        behind in prop::collection::vec(any::<u8>(), 0..20),
        is_padded in any::<bool>(),
        is_upper in any::<bool>(),
    ) {
        let bytes: Vec<u8> = before.into_iter().chain(secret.bytes()).chain(behind).collect();
        let redactor = Redactor::of([secret.as_str()]);

        for alphabet in [STANDARD, URL] {
            let text = base64(&bytes, alphabet, is_padded);
            prop_assert_eq!(redactor.text(&format!("it is: {text} ")), "it is: [redacted] ");
            let percent = text.replace('+', "%2B").replace('/', "%2F");
            prop_assert!(redactor.text(&percent).contains(GONE));
        }
        let hex = bytes.iter().map(|byte| match is_upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        });
        prop_assert!(redactor.text(&hex.collect::<String>()).contains(GONE));
    }

    #[test]
    fn a_secret_goes_from_the_strings_that_it_is_spread_over(
        secret in "[A-Za-z0-9_/+-]{8,60}",
        cuts in prop::collection::btree_set(1_usize..60, 1..6),
        in_a_list in any::<bool>(),
    ) {
        let mut pieces: Vec<&str> = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().filter(|cut| *cut < secret.len()) {
            pieces.push(&secret[from..cut]);
            from = cut;
        }
        pieces.push(&secret[from..]);
        let text = if in_a_list {
            serde_json::json!({ "said": pieces }).to_string()
        } else {
            let delta = |piece: &&str| format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{{\"type\":\"text_delta\",\"text\":\"{piece}\"}}}}\n\n"
            );
            pieces.iter().map(delta).collect()
        };

        let redacted = Redactor::of([secret.as_str()]).text(&text);

        for piece in pieces.iter().filter(|piece| piece.len() > 3) {
            let left = format!("\"{piece}\"");
            prop_assert!(!redacted.contains(&left), "{text} became {redacted}");
        }
        prop_assert!(redacted.contains(GONE));
    }

    #[test]
    fn a_text_that_was_cut_off_within_a_secret_keeps_no_half_of_it(
        secret in "[A-Za-z0-9_/+-]{12,60}",
        choices in prop::collection::vec(any::<u32>(), 1..60),
        kept in 6_usize..11,
    ) {
        let spelled = spell(&secret[..kept], &choices);

        let redacted = Redactor::of([secret.as_str()]).cut_text(&format!("it is: {spelled}"));

        prop_assert_eq!(redacted, "it is: ");
    }

    #[test]
    fn text_without_the_secret_stays_as_it_is(
        secret in "[A-Z]{4}[0-9]{6}",
        text in r#"[a-z %\\&#;/"'+=<>\n]{0,200}"#,
    ) {
        // No word of what looks like a credential is in it.
        prop_assume!(!["bearer", "sk-"].iter().any(|word| text.contains(word)));

        prop_assert_eq!(Redactor::of([secret.as_str()]).text(&text), text.as_str());
    }

    #[test]
    fn what_was_redacted_is_not_redacted_any_further(
        secret in secrets(),
        before in surroundings(),
        behind in surroundings(),
    ) {
        let redactor = Redactor::of([secret.as_str()]);
        let once = redactor.text(&format!("{before}{secret}{behind}"));
        prop_assume!(!once.contains(&secret)); // A secret such as "redacted".

        prop_assert_eq!(redactor.text(&once).matches(GONE).count(), once.matches(GONE).count());
    }
}
