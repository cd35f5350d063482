use std::collections::BTreeMap;

use serde_json::json;

use super::rates::price;
use super::*;

/// What a probe is.
const ONE_TOKEN: Usage = Usage {
    input: 10,
    output: 1,
    cache_write_5m: 0,
    cache_write_1h: 0,
    cache_read: 0,
};

fn usd(model: &str) -> f64 {
    cost(model, &ONE_TOKEN, &BTreeMap::new(), 1.0).usd()
}

#[test]
fn a_one_token_call_costs_its_rates() {
    assert_eq!(usd("claude-haiku-5-5"), 0.0000015);
    assert_eq!(usd("claude-haiku-4-5"), 0.000015);
    assert_eq!(usd("claude-haiku-4-5-20251001"), 0.000015);
}

fn bill(model: &str, usage: &Usage, terms: &Terms) -> Option<Bill> {
    Bill::of(model, usage, terms, &BTreeMap::new(), 1.0)
}

/// Five numbers per million, one of each rate.
const MILLION_OF_EACH: Usage = Usage {
    input: 1_000_000,
    output: 1_000_000,
    cache_write_5m: 1_000_000,
    cache_write_1h: 1_000_000,
    cache_read: 1_000_000,
};

#[test]
fn a_million_tokens_of_each_kind_cost_the_sum_of_the_five_rates() {
    for (model, sum) in [
        ("claude-fable-5-2", 8.0 + 40.0 + 10.0 + 16.0 + 0.2),
        ("claude-opus-5-5", 4.0 + 20.0 + 5.0 + 8.0 + 0.2),
        ("claude-opus-4-8", 5.0 + 25.0 + 6.25 + 10.0 + 0.5),
        ("claude-sonnet-5-5", 2.0 + 10.0 + 2.5 + 4.0 + 0.1),
        ("claude-sonnet-4-5-20250929", 3.0 + 15.0 + 3.75 + 6.0 + 0.3),
        // The prompt is longer than 100,000 tokens.
        ("claude-haiku-5-5", 0.5 + 2.5 + 0.625 + 1.0 + 0.05),
        ("claude-haiku-4-5-20251001", 1.0 + 5.0 + 1.25 + 2.0 + 0.1),
    ] {
        let bill = bill(model, &MILLION_OF_EACH, &Terms::default()).unwrap();

        assert!((bill.cost.usd() - sum).abs() < 1e-9, "{model}: {bill:?}");
    }
}

#[test]
fn a_warm_turn_of_a_hundred_thousand_tokens_costs_two_cents_and_saves_thirty_eight() {
    let usage = Usage {
        cache_read: 100_000,
        ..Usage::default()
    };

    let bill = bill("claude-opus-5-5", &usage, &Terms::default()).unwrap();

    assert_eq!((bill.cost.usd(), bill.cache_saved.usd()), (0.02, 0.38));
}

#[test]
fn a_move_with_a_hundred_thousand_cached_tokens_loses_what_the_table_says() {
    for (model, lost) in [
        ("claude-opus-5-5", 0.48),
        ("claude-sonnet-5-5", 0.24),
        ("claude-fable-5-2", 0.98),
        ("claude-opus-4-8", 0.575),
        ("claude-haiku-4-5", 0.115),
    ] {
        let usage = Usage {
            input: 10,
            cache_write_5m: 101_000,
            ..Usage::default()
        };
        let left = Left {
            tokens: 100_000,
            price: 1.0,
        };

        let bill = bill(model, &usage, &Terms::default()).unwrap();

        assert_eq!(bill.cache_lost(&left).usd(), lost, "{model}");
    }
}

#[test]
fn what_was_not_written_anew_is_not_lost_and_each_endpoint_has_its_own_price() {
    let left = Left {
        tokens: 100_000,
        price: 2.0,
    };
    let wrote = |cache_write_1h| Usage {
        cache_write_1h,
        ..Usage::default()
    };
    let bill = |usage: &Usage| {
        let own = BTreeMap::new();
        Bill::of("claude-opus-5-5", usage, &Terms::default(), &own, 0.5).unwrap()
    };

    let [nothing, half] = [0, 50_000].map(|tokens| bill(&wrote(tokens)).cache_lost(&left));

    // 0.05 million at half of $8, not at twice $0.20.
    assert_eq!((nothing.usd(), half.usd()), (0.0, 0.18));
}

#[test]
fn a_prompt_costs_another_endpoint_at_most_what_writing_all_of_it_costs_there() {
    let told = Usage {
        input: 100_000,
        output: 100_000,
        ..Usage::default()
    };
    let read = Usage {
        cache_read: 100_000,
        ..told
    };
    let cases = [
        // At half of the rates: $4 for input.
        (told, 0.2),
        // What was read would be written: $5 for five minutes, $8 for an hour.
        (
            Usage {
                cache_write_5m: 100_000,
                ..read
            },
            0.2 + 0.25 + 0.25,
        ),
        (
            Usage {
                cache_write_1h: 100_000,
                ..read
            },
            0.2 + 0.4 + 0.4,
        ),
        (
            Usage {
                cache_write_5m: 100_000,
                cache_write_1h: 100_000,
                ..read
            },
            0.2 + 0.25 + 0.4 + 0.4,
        ),
        // Nothing says how long it lives.
        (read, 0.2 + 0.4),
    ];

    for (usage, usd) in cases {
        let bill = bill("claude-opus-5-5", &usage, &Terms::default()).unwrap();
        let cost = bill.prompt_elsewhere(0.5).usd();
        assert!((cost - usd).abs() < 1e-9, "{usage:?}: {cost}");
    }
}

#[test]
fn terms_hold_for_a_prompt_elsewhere_and_no_number_is_too_large_for_it() {
    let fast = Terms {
        fast: true,
        ..Terms::default()
    };
    let input = Usage {
        input: 100_000,
        ..Usage::default()
    };
    let most = Usage {
        input: u64::MAX,
        output: u64::MAX,
        cache_write_5m: u64::MAX,
        cache_write_1h: u64::MAX,
        cache_read: u64::MAX,
    };

    let [fast, most] = [(input, fast), (most, Terms::default())]
        .map(|(usage, terms)| bill("claude-opus-5-5", &usage, &terms).unwrap());

    assert_eq!(fast.prompt_elsewhere(1.0).usd(), 0.8);
    assert_eq!(
        most.prompt_elsewhere(1e300),
        Cost::from_billionths(u64::MAX)
    );
}

#[test]
fn the_size_of_a_prompt_says_about_what_it_costs() {
    let own = BTreeMap::from([("a-model-of-tomorrow".to_owned(), price([2.0; 5]))]);
    let about = |model, bytes, price| Some(cost_by_size(model, bytes, &own, price)?.usd());

    assert_eq!(about("claude-opus-5-5", 20_000, 1.0), Some(0.02));
    assert_eq!(about("claude-opus-5-5", 20_000, 0.5), Some(0.01));
    assert_eq!(about("a-model-of-tomorrow", 20_000, 1.0), Some(0.01));
    // More than 100,000 tokens have the higher rate.
    assert_eq!(about("claude-haiku-5-5", 400_000, 1.0), Some(0.01));
    assert_eq!(about("claude-haiku-5-5", 800_000, 1.0), Some(0.1));
    assert_eq!(about("claude-opus-5-5", 3, 1.0), Some(0.0));
    assert_eq!(about("unheard-of", 20_000, 1.0), None);
}

#[test]
fn terms_multiply_the_tokens_and_searches_are_added() {
    let usage = Usage {
        input: 100_000,
        output: 10_000,
        ..Usage::default()
    };
    let plain = Terms::default();
    let cases = [
        (plain, 0.6),
        (
            Terms {
                batch: true,
                ..plain
            },
            0.3,
        ),
        (
            Terms {
                us_only: true,
                ..plain
            },
            0.66,
        ),
        (
            Terms {
                fast: true,
                ..plain
            },
            1.2,
        ),
        (
            Terms {
                web_searches: 3,
                ..plain
            },
            0.63,
        ),
    ];

    for (terms, usd) in cases {
        let bill = bill("claude-opus-5-5", &usage, &terms).unwrap();
        assert_eq!(bill.cost.usd(), usd, "{terms:?}");
    }
}

#[test]
fn what_has_no_known_price_has_no_bill() {
    let fast = Terms {
        fast: true,
        ..Terms::default()
    };

    assert_eq!(
        bill("a-model-of-tomorrow", &ONE_TOKEN, &Terms::default()),
        None
    );
    assert_eq!(bill("claude-haiku-4-5", &ONE_TOKEN, &fast), None);
}

#[test]
fn a_price_of_ones_own_makes_an_unknown_model_known() {
    let own = BTreeMap::from([("a-model-of-tomorrow".to_owned(), price([2.0; 5]))]);

    let bill = Bill::of(
        "a-model-of-tomorrow",
        &ONE_TOKEN,
        &Terms::default(),
        &own,
        1.0,
    );

    assert_eq!(bill.unwrap().cost.usd(), 0.000022);
}

#[test]
fn an_unknown_model_is_taken_for_the_dearest() {
    for known in ["claude-fable-5", "claude-opus-4-1", "claude-haiku-4-5"] {
        assert!(usd("a-model-of-tomorrow") >= usd(known), "{known}");
    }
}

#[test]
fn the_configuration_goes_before_the_table_and_the_endpoint_multiplies() {
    let own = BTreeMap::from([("claude-haiku-4-5".to_owned(), price([2.0; 5]))]);

    let cost = cost("claude-haiku-4-5", &ONE_TOKEN, &own, 0.5);

    assert_eq!(cost.usd(), 0.000011);
}

#[test]
fn a_long_prompt_of_haiku_5_5_has_the_higher_rates() {
    let own = BTreeMap::new();

    let [short, long] = [100_000, 100_001].map(|prompt| rates("claude-haiku-5-5", prompt, &own));

    assert_eq!((short.input, long.input), (0.1, 0.5));
}

#[test]
fn usage_is_read_with_both_kinds_of_cache() {
    let usage = json!({
        "input_tokens": 3, "output_tokens": 7, "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
        "cache_creation": { "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30 },
    });

    let read = Usage::read(&usage).unwrap();

    let expected = Usage {
        input: 3,
        output: 7,
        cache_write_5m: 20,
        cache_write_1h: 30,
        cache_read: 100,
    };
    assert_eq!((read, read.prompt()), (expected, 153));
    assert_eq!(Usage::read(&json!({})), None);
}
