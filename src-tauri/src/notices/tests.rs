use std::time::{Duration, Instant};

use zephyr_control::{
    Appearance, Decision, Event, EventKind, Headline, Host, Language, Listening, Mode, NotChosen,
    Reason, Snapshot, Strategy, Totals, examples,
};
use zephyr_core::config::Notifications;

use super::*;

/// The events so far, and what was shown.
struct Story {
    notices: Notices,
    events: Vec<Event>,
    now: Instant,
}

impl Story {
    /// All events are shown, at least `gap` apart.
    fn new(gap: Duration) -> Self {
        Self::with(Notifications {
            min_interval: gap,
            ..Notifications::default()
        })
    }

    fn with(choices: Notifications) -> Self {
        let mut story = Self {
            notices: Notices::new(),
            events: Vec::new(),
            now: Instant::now(),
        };
        story.notices.set_choices(choices);
        story.happens([EventKind::Automatic]);
        story
    }

    fn happens(&mut self, kinds: impl IntoIterator<Item = EventKind>) {
        for kind in kinds {
            let seq = self.events.len() as u64 + 1;
            self.events.push(Event {
                seq,
                at_ms: seq,
                kind,
            });
        }
        let mut snapshot = snapshot(self.events.clone());
        snapshot.status = match self.events.last().map(|event| &event.kind) {
            Some(EventKind::AllDown) => examples::out(Headline::AllThrottled),
            Some(EventKind::Offline) => examples::offline().status,
            _ => examples::well("Tokyo"),
        };
        self.notices.handle_snapshot(&snapshot, self.now);
    }

    /// Waits until something is shown. `None`: nothing waits.
    fn told(&mut self) -> Option<Notice> {
        self.now = self.notices.poll_timeout()?;
        self.notices.handle_timeout(self.now, Language::En)
    }
}

fn snapshot(events: Vec<Event>) -> Snapshot {
    Snapshot {
        version: String::new(),
        taken_at_ms: 0,
        started_at_ms: 0,
        listening: Listening::default(),
        config_path: None,
        mode: Mode::Auto,
        paused: false,
        status: examples::well("Tokyo"),
        offline_since_ms: None,
        weighed: None,
        strategy: Strategy::Latency,
        current: None,
        decision: None,
        endpoints: Vec::new(),
        events,
        problems: Vec::new(),
        totals: Totals::default(),
        probes: zephyr_control::ProbeCosts::default(),
        drain: None,
        requests: Vec::new(),
        journal: zephyr_control::JournalStatus::default(),
        host: Host::default(),
        appearance: Appearance::default(),
    }
}

fn switch(from: &str, to: &str) -> EventKind {
    EventKind::Switched {
        from: from.to_owned(),
        to: to.to_owned(),
        decision: Decision {
            why: Reason::Replaces,
            others: vec![NotChosen {
                endpoint: from.to_owned(),
                why: Reason::Overloaded { status: 529 },
            }],
        },
    }
}

fn refusal(endpoint: &str) -> EventKind {
    EventKind::TakenOut {
        endpoint: endpoint.to_owned(),
        why: Reason::KeychainTokenRefused {
            status: 401,
            entry: "main".to_owned(),
        },
        until_ms: None,
    }
}

const GAP: Duration = Duration::from_secs(3);

#[test]
fn a_switch_says_from_to_and_why() {
    let mut story = Story::new(GAP);

    story.happens([switch("HK", "Tokyo")]);

    let notice = story.told().unwrap();
    assert_eq!(notice.summary, "Zephyr now uses Tokyo");
    assert_eq!(
        notice.body,
        "switched from HK to Tokyo: the endpoint in use became unusable\n\
         HK: overloaded (HTTP 529)"
    );
    assert_eq!(story.told(), None);
}

#[test]
fn what_happened_before_the_start_is_no_news() {
    let mut notices = Notices::new();
    let event = Event {
        seq: 7,
        at_ms: 1,
        kind: EventKind::AllDown,
    };

    notices.handle_snapshot(&snapshot(vec![event]), Instant::now());

    assert_eq!(notices.poll_timeout(), None);
}

#[test]
fn what_belongs_together_is_told_together() {
    let mut story = Story::new(GAP);

    story.happens([refusal("HK")]);
    story.happens([switch("HK", "Tokyo")]);

    let notice = story.told().unwrap();
    assert_eq!(notice.summary, "HK needs attention");
    assert!(notice.body.contains("401"), "{}", notice.body);
    assert!(notice.body.contains("from HK to Tokyo"), "{}", notice.body);
    assert_eq!(story.told(), None);
}

#[test]
fn notifications_keep_their_distance() {
    let mut story = Story::new(GAP);
    story.happens([switch("HK", "Tokyo")]);
    story.told().unwrap();
    let first = story.now;

    story.happens([switch("Tokyo", "LA")]);
    story.told().unwrap();

    assert_eq!(story.now, first + GAP);
}

#[test]
fn several_switches_are_one_from_the_first_to_the_last() {
    let mut story = Story::new(GAP);

    story.happens([switch("HK", "Tokyo"), switch("Tokyo", "LA")]);

    let notice = story.told().unwrap();
    assert!(notice.body.contains("from HK to LA"), "{}", notice.body);
}

#[test]
fn there_and_back_is_not_told() {
    let mut story = Story::new(GAP);

    story.happens([switch("HK", "Tokyo"), switch("Tokyo", "HK")]);

    assert_eq!(story.told(), None);
}

#[test]
fn a_failure_that_is_over_before_it_could_be_told_is_not_told() {
    let mut story = Story::new(GAP);
    story.happens([switch("HK", "Tokyo")]);
    story.told().unwrap();

    story.happens([EventKind::AllDown, EventKind::SomethingUp]);

    assert_eq!(story.told(), None);
}

#[test]
fn everything_down_and_back_are_two_notifications() {
    let mut story = Story::new(GAP);

    story.happens([EventKind::AllDown]);
    let down = story.told().unwrap();
    story.happens([EventKind::SomethingUp]);
    let up = story.told().unwrap();

    assert_eq!(
        down.summary,
        "No endpoint is usable: all are throttled · out"
    );
    assert_eq!(up.summary, "Zephyr works again");
    assert_eq!(up.body, "Tokyo · all well");
}

#[test]
fn what_is_worst_gives_the_summary() {
    let mut story = Story::new(GAP);

    story.happens([switch("HK", "Tokyo"), EventKind::Offline]);

    assert_eq!(
        story.told().unwrap().summary,
        "Nothing can be reached · offline"
    );
}

#[test]
fn each_kind_can_be_switched_off() {
    let off = Notifications {
        on_switch: false,
        on_all_down: false,
        on_recovery: false,
        on_offline: false,
        on_refused: false,
        on_budget: false,
        min_interval: GAP,
    };
    let on = |change: fn(&mut Notifications)| {
        let mut choices = off.clone();
        change(&mut choices);
        let mut story = Story::with(choices);
        story.happens([switch("HK", "Tokyo")]);
        story.happens([EventKind::BudgetReached { budget_usd: 0.5 }]);
        story.happens([EventKind::Offline, refusal("HK"), EventKind::AllDown]);
        story.told().map(|notice| notice.summary)
    };
    let recovery = Notifications {
        on_recovery: true,
        ..off.clone()
    };
    let mut recovered = Story::with(recovery);
    recovered.happens([EventKind::AllDown, EventKind::SomethingUp]);

    assert_eq!(on(|_| {}), None);
    assert_eq!(
        on(|choices| choices.on_switch = true).unwrap(),
        "Zephyr now uses Tokyo"
    );
    assert_eq!(
        on(|choices| choices.on_all_down = true).unwrap(),
        "No endpoint is usable: all are throttled · out"
    );
    assert!(on(|choices| choices.on_offline = true).is_some());
    assert_eq!(
        on(|choices| choices.on_refused = true).unwrap(),
        "HK needs attention"
    );
    assert_eq!(
        on(|choices| choices.on_budget = true).unwrap(),
        "The budget for checks is used up"
    );
    assert_eq!(recovered.told().unwrap().summary, "Zephyr works again");
}

#[test]
fn an_ordinary_failure_needs_nobody() {
    let mut story = Story::new(GAP);

    story.happens([EventKind::TakenOut {
        endpoint: "HK".to_owned(),
        why: Reason::StreamCut,
        until_ms: Some(1),
    }]);

    assert_eq!(story.told(), None);
}

#[test]
fn a_click_that_fails_is_answered_at_once() {
    let mut story = Story::new(GAP);
    story.happens([switch("HK", "Tokyo")]);
    story.told().unwrap();

    story.notices.handle_complaint("no such file", story.now);
    let notice = story.notices.handle_timeout(story.now, Language::En);

    assert_eq!(notice.unwrap().body, "no such file");
}

#[test]
fn what_another_engine_did_before_is_no_news_and_what_it_does_then_is() {
    let mut story = Story::new(GAP);
    let now = story.now;
    let mut other = snapshot(vec![Event {
        seq: 40,
        at_ms: 1,
        kind: EventKind::AllDown,
    }]);
    other.started_at_ms = 5;

    story.notices.handle_snapshot(&other, now);
    let before = story.notices.poll_timeout();
    other.events.push(Event {
        seq: 41,
        at_ms: 2,
        kind: switch("HK", "Tokyo"),
    });
    story.notices.handle_snapshot(&other, now);

    assert_eq!(before, None);
    assert!(story.told().is_some());
}

#[test]
fn sessions_that_keep_the_address_are_named_under_a_summary_of_their_own() {
    for language in [Language::En, Language::Zh] {
        let notice = Notice::of_sessions("41 (/home/me)".to_owned(), language);

        assert!(notice.summary.contains("Claude Code"), "{notice:?}");
        assert_eq!(notice.body, "41 (/home/me)");
    }
}

#[test]
fn what_a_browser_asks_for_is_told_at_once_and_once_whatever_is_switched_off() {
    use zephyr_control::privilege::{Confirmation, Danger, Effect};
    let confirmation = |number| Confirmation {
        number,
        effect: Effect::StoreToken {
            entry: "hk".to_owned(),
        },
        danger: Danger::MovesCredentials,
        left_ms: 1000,
    };
    let mut story = Story::new(Duration::from_secs(3600));

    let (now, waiting) = (story.now, [confirmation(4711)]);
    story.notices.handle_confirmations(&waiting, now);
    let told = story.told().unwrap();
    story.notices.handle_confirmations(&waiting, now);
    let again = story.told();
    let more = [confirmation(4711), confirmation(4712)];
    story.notices.handle_confirmations(&more, now);
    let second = story.told().unwrap();

    assert_eq!(told.summary, "A browser asks for a confirmation: 4711");
    assert!(
        told.body.contains("the token “hk” in the keychain"),
        "{}",
        told.body
    );
    assert!(told.body.contains("zephyr confirm 4711"), "{}", told.body);
    assert_eq!(again, None);
    assert!(second.summary.contains("4712"), "{}", second.summary);
}
