//! Marks under random histories, against a plain list of them: none spreads to requests that it is not
//! about, none outlives its time, and each holds as long as it should.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use zephyr_core::Fleet;
use zephyr_core::classify::{ClientKind, Family, Fault, Outcome, Subject};
use zephyr_core::config::{
    Auth, AuthHeader, BaseUrl, Config, CredentialRef, Endpoint, Group, HealthCheck, ProbeAs,
    ProbeMode, ProxyRoute, Strategy as Routing,
};
use zephyr_core::fleet::{Journey, Permit, Traits};
use zephyr_core::profile::{CallKind, SessionKey};

const MODELS: [&str; 4] = [
    "claude-opus-5-5",
    "claude-opus-4-1",
    "claude-haiku-4-5",
    "house-model",
];
const CLIENTS: [ClientKind; 2] = [ClientKind::ClaudeCode, ClientKind::Other];
const SIZES: [Option<u64>; 4] = [None, Some(1_000), Some(100_000), Some(900_000)];
const KINDS: [CallKind; 2] = [CallKind::Messages, CallKind::CountTokens];
/// Where an answer does not say for how long.
const USUALLY: Duration = Duration::from_secs(600);
/// What nobody is believed beyond.
const LONGEST: Duration = Duration::from_secs(8 * 24 * 3600);
const STICKY_TTL: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug)]
struct Asked {
    kind: CallKind,
    model: &'static str,
    client: ClientKind,
    bytes: Option<u64>,
}

#[derive(Clone, Debug)]
enum Op {
    Ask(Asked),
    /// The request that has been out for longest, or a later one, ends.
    End(usize, End),
    Pass(u64),
}

#[derive(Clone, Debug)]
enum End {
    Answered,
    About(Subject, Option<u64>),
}

fn asked() -> impl Strategy<Value = Asked> {
    let pick = (
        0..KINDS.len(),
        0..MODELS.len(),
        0..CLIENTS.len(),
        0..SIZES.len(),
    );
    pick.prop_map(|(kind, model, client, size)| Asked {
        kind: KINDS[kind],
        model: MODELS[model],
        client: CLIENTS[client],
        bytes: SIZES[size],
    })
}

fn subject() -> impl Strategy<Value = Subject> {
    let opus = Family::named_in("seven_day_opus").unwrap();
    prop_oneof![
        Just(Subject::Model),
        Just(Subject::Family(opus)),
        Just(Subject::Size),
        Just(Subject::ClientKind),
        Just(Subject::Conversation),
        Just(Subject::Login),
        Just(Subject::Signature),
        Just(Subject::Request),
    ]
}

fn end() -> impl Strategy<Value = End> {
    let lasts = prop_oneof![
        Just(None),
        Just(Some(5)),
        Just(Some(700)),
        Just(Some(30 * 24 * 3600))
    ];
    prop_oneof![
        1 => Just(End::Answered),
        3 => (subject(), lasts).prop_map(|(subject, lasts)| End::About(subject, lasts)),
    ]
}

fn history() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        5 => asked().prop_map(Op::Ask),
        4 => (0_usize..3, end()).prop_map(|(which, end)| Op::End(which, end)),
        1 => prop_oneof![0_u64..10, 500_u64..900, Just(9 * 24 * 3600)].prop_map(Op::Pass),
    ];
    prop::collection::vec(op, 1..80)
}

/// What an endpoint is known not to serve.
#[derive(Debug)]
struct Mark {
    subject: Subject,
    of: Asked,
    until: Instant,
}

impl Mark {
    fn concerns(&self, asked: &Asked) -> bool {
        match &self.subject {
            Subject::Model => self.of.kind == asked.kind && self.of.model == asked.model,
            Subject::Family(family) => family.has(asked.model),
            Subject::Size => {
                let sizes = self.of.bytes.zip(asked.bytes);
                self.of.kind == asked.kind && sizes.is_some_and(|(mark, size)| size >= mark)
            }
            Subject::ClientKind => self.of.client == asked.client,
            Subject::Endpoint
            | Subject::Account
            | Subject::Conversation
            | Subject::Login
            | Subject::Signature
            | Subject::Request
            | Subject::Client => false,
        }
    }
}

fn config(names: &[&str]) -> Config {
    let endpoint = |name: &&str| Endpoint {
        name: (*name).to_owned(),
        group: "main".to_owned(),
        url: BaseUrl::parse("https://example.com").unwrap(),
        flag: None,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        auth: Auth::Ours {
            header: AuthHeader::Bearer,
            credential: CredentialRef::Env("TOKEN".to_owned()),
        },
        proxy: ProxyRoute::Direct,
        allow_insecure: false,
        probe_as: ProbeAs::default(),
        subscription_only: false,
        health_check: HealthCheck {
            mode: ProbeMode::Off,
            ..HealthCheck::default()
        },
    };
    let mut config = Config {
        groups: vec![Group {
            name: "main".to_owned(),
            default: true,
        }],
        endpoints: names.iter().map(endpoint).collect(),
        ..Config::default()
    };
    config.routing.strategy = Routing::Priority;
    config.routing.sticky_ttl = STICKY_TTL;
    config.failover.last_resort = false; // It asks where marks say that it is in vain.
    config
}

fn outcome(end: &End) -> Outcome {
    match end {
        End::Answered => Outcome::Answered,
        End::About(subject, lasts) => Outcome::NotServed {
            fault: Fault::Status(400),
            subject: subject.clone(),
            lasts: lasts.map(Duration::from_secs),
        },
    }
}

/// One endpoint: a request is admitted exactly if no mark that is about it still holds.
fn one_endpoint(history: Vec<Op>) {
    let mut now = Instant::now();
    let mut fleet = Fleet::new(config(&["A"]), &BTreeSet::new(), 7, now);
    let mut marks: Vec<Mark> = Vec::new();
    let mut out: Vec<(Permit, Asked)> = Vec::new();
    for op in history {
        match op {
            Op::Ask(asked) => {
                let traits = Traits {
                    client: asked.client,
                    bytes: asked.bytes,
                };
                let model = Some(asked.model.to_owned());
                let mut journey = Journey::new(asked.kind, model, None).with_traits(traits);
                let holds = |mark: &&Mark| mark.until > now && mark.concerns(&asked);
                let mark = marks.iter().find(holds);
                let granted = fleet.admit(&mut journey, now);
                assert_eq!(granted.is_ok(), mark.is_none(), "{asked:?}: {mark:?}");
                out.extend(granted.ok().map(|grant| (grant.permit, asked)));
            }
            Op::End(which, end) => {
                if out.is_empty() {
                    continue;
                }
                let (permit, of) = out.remove(which % out.len());
                fleet.settle(permit, outcome(&end), now);
                match end {
                    End::Answered => marks.retain(|mark| !mark.concerns(&of)),
                    End::About(subject, lasts) => {
                        let lasts = lasts.map_or(USUALLY, Duration::from_secs).min(LONGEST);
                        let mark = Mark {
                            subject,
                            of,
                            until: now + lasts,
                        };
                        // The newest word counts.
                        marks.retain(|old| !is_replaced(old, &mark));
                        marks.push(mark);
                    }
                }
            }
            Op::Pass(seconds) => now += Duration::from_secs(seconds),
        }
        fleet.handle_timeout(now);
    }
    for (permit, _) in out {
        fleet.settle(permit, Outcome::Abandoned, now);
    }
}

fn is_replaced(old: &Mark, new: &Mark) -> bool {
    old.subject == new.subject
        && match new.subject {
            Subject::Model => old.of.kind == new.of.kind && old.of.model == new.of.model,
            Subject::Family(_) => true,
            Subject::Size => {
                let sizes = old.of.bytes.zip(new.of.bytes);
                old.of.kind == new.of.kind && sizes.is_some_and(|(old, new)| old >= new)
            }
            Subject::ClientKind => old.of.client == new.of.client,
            Subject::Endpoint
            | Subject::Account
            | Subject::Conversation
            | Subject::Login
            | Subject::Signature
            | Subject::Request
            | Subject::Client => false,
        }
}

/// Two endpoints, the first of which does not want some conversations: each goes elsewhere for as long as
/// was said, and no other one does.
fn conversations(refusals: &[(usize, Option<u64>)], pauses: &[u64]) {
    let mut now = Instant::now();
    let mut fleet = Fleet::new(config(&["A", "B"]), &BTreeSet::new(), 7, now);
    let first = fleet.status().next().unwrap().id;
    let sessions: Vec<_> = (0..4)
        .map(|session| SessionKey::of(&session.to_string()))
        .collect();
    let mut refused: Vec<Option<Instant>> = vec![None; sessions.len()];
    let ask = |fleet: &mut Fleet, session: SessionKey, now: Instant| {
        let model = Some(MODELS[0].to_owned());
        let mut journey = Journey::new(CallKind::Messages, model, Some(session));
        fleet.admit(&mut journey, now).unwrap().permit
    };
    for ((session, lasts), pause) in refusals.iter().zip(pauses) {
        let permit = ask(&mut fleet, sessions[*session], now);
        if permit.endpoint() == first {
            let end = End::About(Subject::Conversation, *lasts);
            fleet.settle(permit, outcome(&end), now);
            let lasts = lasts.map_or(STICKY_TTL, Duration::from_secs);
            refused[*session] = Some(now + lasts.min(Duration::from_secs(6 * 3600)));
        } else {
            fleet.settle(permit, Outcome::Abandoned, now);
        }
        now += Duration::from_secs(*pause);
        fleet.handle_timeout(now);
        for (key, until) in sessions.iter().zip(&refused) {
            let permit = ask(&mut fleet, *key, now);
            let elsewhere = until.is_some_and(|until| until > now);
            assert_eq!(
                permit.endpoint() != first,
                elsewhere,
                "{until:?} at {now:?}"
            );
            fleet.settle(permit, Outcome::Abandoned, now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mark_holds_for_its_subject_and_its_time_and_for_nothing_else(history in history()) {
        one_endpoint(history);
    }

    #[test]
    fn a_conversation_that_is_not_wanted_goes_elsewhere_alone(
        refusals in prop::collection::vec((0_usize..4, prop_oneof![Just(None), Just(Some(5)), Just(Some(90_000))]), 1..12),
        pauses in prop::collection::vec(prop_oneof![0_u64..8, 250_u64..400, Just(22_000)], 12),
    ) {
        conversations(&refusals, &pauses);
    }
}
