//! `x-zephyr-why`: why an answer comes from its endpoint, in one English sentence. Answers for which there was
//! nothing to weigh have none.

use http::{HeaderMap, HeaderName, HeaderValue};
use zephyr_control::Reason;
use zephyr_core::price::{Cost, cost_by_size};

use super::outgoing::Outgoing;
use super::trail::shortened;
use crate::endpoints::remote::Remote;

const WHY: HeaderName = HeaderName::from_static("x-zephyr-why");

/// A smaller amount is not told exactly. In USD.
const A_CENT: f64 = 0.01;

/// Adds the header. A sentence that no header can hold is left out.
pub fn sign(headers: &mut HeaderMap, why: Option<String>) {
    if let Some(why) = why.and_then(|why| HeaderValue::try_from(why).ok()) {
        headers.insert(WHY, why);
    }
}

/// How the race between a late attempt and the one beside it ended, and about what the second prompt costs. Before
/// the answer tells its tokens, only the size of the request says that. `answering`: the place in the trail of
/// the attempt whose answer is passed on. `None`: it was neither of two such attempts.
pub fn raced(outgoing: &Outgoing, answering: usize) -> Option<String> {
    let trail = &outgoing.trail;
    let notes = trail.notes();
    let waited = |place: usize| {
        let Reason::Beside { waited_ms } = notes.legs.get(place)?.why else {
            return None;
        };
        Some(waited_ms)
    };
    let second = (0..notes.legs.len()).find(|&place| waited(place).is_some())?;
    let first = second.checked_sub(1)?; // Nothing begins between the two.
    let late = &notes.legs.get(first)?.remote;
    // Others may have been asked in place of a second one that failed.
    let asked = waited(answering).map_or(second, |_| answering);
    let (beside, waited_ms) = (&notes.legs.get(asked)?.remote, waited(asked)?);
    let end = if answering == asked {
        "and answered first".to_owned()
    } else if answering == first {
        format!("but {} answered first", name(late))
    } else {
        return None;
    };
    let cost = notes.model.as_deref().and_then(|model| {
        let own = &outgoing.live.config.pricing;
        cost_by_size(model, trail.received.bytes(), own, beside.spec.price)
    });
    let cost = cost.map(|cost| format!("; {} for the second prompt", about(cost)));
    Some(format!(
        "{} was late (no answer after {waited_ms} ms), so {} was asked as well, {end}{}",
        name(late),
        name(beside),
        cost.unwrap_or_default(),
    ))
}

/// The name of an endpoint as `x-used-endpoint` has it: in ASCII.
fn name(remote: &Remote) -> String {
    shortened(remote.name_header.to_str().unwrap_or_default())
}

fn about(cost: Cost) -> String {
    let usd = cost.usd();
    if usd < A_CENT {
        format!("less than ${A_CENT}")
    } else {
        format!("about ${usd:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_amount_is_not_told_as_nothing() {
        let cases = [
            (0.0, "less than $0.01"),
            (0.009_9, "less than $0.01"),
            (0.01, "about $0.01"),
            (0.024, "about $0.02"),
            (1.5, "about $1.50"),
        ];

        for (usd, expected) in cases {
            assert_eq!(about(Cost::from_usd(usd)), expected);
        }
    }

    #[test]
    fn what_no_header_can_hold_is_left_out() {
        let mut headers = HeaderMap::new();

        sign(&mut headers, Some("two\nlines".to_owned()));
        assert!(headers.is_empty());

        sign(&mut headers, Some("one line".to_owned()));
        assert_eq!(headers[WHY], "one line");
    }
}
