//! A second attempt beside a late first one, and what is learned from who was first.

use super::*;
use crate::config::Hedge;
use crate::latency::{Pace, Silences};
use crate::price::Usage;
use crate::proof::Activity;

const MODEL: &str = "claude-opus-5-5";
const LATE: Duration = Duration::from_secs(8);

fn asking(session: Option<&str>) -> Journey {
    let session = session.map(SessionKey::of);
    Journey::new(CallKind::Messages, Some(MODEL.to_owned()), session)
}

/// A is in use; all three are probed.
fn scene(change: impl FnOnce(&mut Config)) -> Scene {
    let mut scene = Scene::of(3, change);
    for (name, millis) in [("A", 100), ("B", 110), ("C", 120)] {
        scene.probed(name, millis);
    }
    scene
}

impl Scene {
    fn hedge(&mut self, journey: &mut Journey, first: &Permit) -> Result<Grant, NoHedge> {
        let waited = LATE;
        self.fleet
            .hedge(journey, first.endpoint(), waited, self.now)
    }

    /// A conversation's turn at A that says what is cached.
    fn turn(&mut self, session: &str, cached: u64) {
        let mut grant = self
            .fleet
            .admit(&mut asking(Some(session)), self.now)
            .unwrap();
        let first_event = Some(SECOND);
        self.fleet.begin(&mut grant.permit, SECOND, self.now);
        let usage = Some(Usage {
            cache_read: cached,
            ..Usage::default()
        });
        let lesson = Lesson {
            first_event,
            usage,
            ..Lesson::default()
        };
        self.fleet.learn(&grant.permit, &lesson, self.now);
        self.fleet.settle(grant.permit, Outcome::Answered, self.now);
    }

    /// A request whose first attempt is silent until the second one beside it answers. Where the first went.
    fn overtaken(&mut self) -> String {
        let mut journey = asking(None);
        let first = self.fleet.admit(&mut journey, self.now).unwrap();
        let name = self.name(first.permit.endpoint());
        self.now += LATE;
        let mut second = self.hedge(&mut journey, &first.permit).unwrap();
        self.now += SECOND;
        self.fleet.begin(&mut second.permit, SECOND, self.now);
        let times = (LATE + SECOND, SECOND);
        self.fleet.settle_overtaken(first.permit, times, self.now);
        self.fleet
            .settle(second.permit, Outcome::Answered, self.now);
        name
    }
}

#[test]
fn a_late_answer_gets_one_second_attempt_at_the_best_other_endpoint() {
    let mut scene = scene(|_| ());
    let mut journey = asking(None);
    let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;

    let second = scene.hedge(&mut journey, &first).unwrap();
    let third = scene.hedge(&mut journey, &first).map(|_| ());

    assert_eq!(scene.name(second.permit.endpoint()), "B");
    assert_eq!(second.why, Why::Beside { waited: LATE });
    assert_eq!((third, journey.attempts()), (Err(NoHedge::Never), 2));
}

#[test]
fn there_is_none_where_it_is_not_wanted_or_nobody_is_fit() {
    type Change = fn(&mut Config);
    type Trouble = fn(&mut Scene);
    let nothing: Change = |_| ();
    let calm: Trouble = |_| ();
    let cases: [(&str, Change, Trouble); 9] = [
        ("off", |config| config.failover.hedge = Hedge::Off, calm),
        (
            "no budget",
            |config| config.failover.hedge_budget_percent = 0,
            calm,
        ),
        (
            "no failover",
            |config| config.failover.enabled = false,
            calm,
        ),
        (
            "nothing is sent twice",
            |config| config.failover.retry_sent_requests = false,
            calm,
        ),
        (
            "one attempt",
            |config| config.failover.max_attempts = Some(1),
            calm,
        ),
        ("pinned", nothing, |scene| {
            let a = scene.id("A");
            scene.fleet.pin(a, scene.now);
        }),
        ("the others are out", nothing, |scene| {
            scene.trip("B");
            scene.trip("C");
        }),
        ("the others' checks failed", nothing, |scene| {
            scene.probe_failed("B");
            scene.probe_failed("C");
        }),
        ("the others are off", nothing, |scene| {
            for name in ["B", "C"] {
                let id = scene.id(name);
                scene.fleet.disable(id, scene.now);
            }
        }),
    ];
    for (what, change, trouble) in cases {
        let mut scene = scene(change);
        trouble(&mut scene);
        let mut journey = asking(None);
        let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;

        let second = scene.hedge(&mut journey, &first).map(|_| ());

        assert_eq!(second, Err(NoHedge::Never), "{what}");
    }
}

#[test]
fn another_one_takes_the_place_of_a_second_one_and_counts_unless_that_has_failed() {
    for (failed, percent, granted) in [(true, 0, true), (false, 0, false), (false, 5, true)] {
        let mut scene = scene(|_| ());
        let mut journey = asking(None);
        let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;
        let second = scene.hedge(&mut journey, &first).unwrap();
        let mut config = scene.fleet.config().clone();
        config.failover.hedge_budget_percent = percent;
        let nobody = BTreeSet::new();
        scene
            .fleet
            .handle_config(config, &nobody, &nobody, scene.now);

        let third = scene
            .fleet
            .hedge_anew(&mut journey, failed, LATE, scene.now);

        let went = third.map(|grant| scene.name(grant.permit.endpoint()));
        assert_eq!(
            went.ok(),
            granted.then(|| "C".to_owned()),
            "{failed} {percent}"
        );
        drop(second);
    }
}

#[test]
fn second_attempts_stay_within_their_budget() {
    let mut scene = scene(|_| ());
    let mut granted = 0;
    for _ in 0..400 {
        let mut journey = asking(None);
        let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;
        if let Ok(second) = scene.hedge(&mut journey, &first) {
            granted += 1;
            scene
                .fleet
                .settle(second.permit, Outcome::Abandoned, scene.now);
        }
        scene.fleet.settle(first, Outcome::Answered, scene.now);
    }

    let most = 400 * 5 / 100 + 3; // 5 %, and those saved up.
    assert!((most - 3..=most).contains(&granted), "{granted}");
}

#[test]
fn a_conversation_waits_until_the_wait_is_worth_its_cache() {
    let waits = [0.01, 0.1, 0.0].map(|second_usd| {
        let mut scene = scene(|config| config.routing.second_usd = second_usd);
        scene.turn("s", 100_000);
        let mut journey = asking(Some("s"));
        let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;
        assert_eq!(scene.name(first.endpoint()), "A");
        scene.hedge(&mut journey, &first).map(|_| ())
    });

    let not_before = NoHedge::NotBefore(Duration::from_secs(50));
    assert_eq!(waits, [Err(not_before), Ok(()), Err(NoHedge::Never)]);
}

#[test]
fn a_new_conversation_has_nothing_to_lose() {
    let mut scene = scene(|_| ());
    let mut journey = asking(Some("new"));
    let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;

    assert!(scene.hedge(&mut journey, &first).is_ok());
}

#[test]
fn the_conversation_is_at_home_where_it_was_answered() {
    let mut scene = scene(|_| ());
    let mut journey = asking(Some("s"));
    let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;
    let mut second = scene.hedge(&mut journey, &first).unwrap().permit;
    scene.fleet.begin(&mut second, SECOND, scene.now);
    scene
        .fleet
        .settle_overtaken(first, (LATE, SECOND), scene.now);
    scene.fleet.settle(second, Outcome::Answered, scene.now);

    let next = scene.fleet.admit(&mut asking(Some("s")), scene.now);

    let next = next.unwrap();
    assert_eq!(
        (scene.name(next.permit.endpoint()), next.why),
        ("B".to_owned(), Why::Sticky)
    );
}

#[test]
fn who_is_overtaken_twice_while_silent_gets_no_new_conversations() {
    let mut scene = scene(|_| ());

    let route = [scene.overtaken(), scene.overtaken()];
    let next = scene.request(Outcome::Answered);

    assert_eq!(route, ["A", "A"]);
    assert_eq!(next, "B");
    assert!(matches!(scene.why_not("A"), WhyNot::Slow(_)));
}

#[test]
fn the_repeat_of_a_late_request_that_its_client_left_goes_elsewhere() {
    let mut scene = scene(|_| ());
    let first = scene.fleet.admit(&mut asking(Some("s")), scene.now);
    scene
        .fleet
        .settle_left_late(first.unwrap().permit, LATE, scene.now);

    let repeat = scene.fleet.admit(&mut asking(Some("s")), scene.now);

    let repeat = repeat.unwrap();
    assert_eq!(scene.name(repeat.permit.endpoint()), "B");
    assert_eq!(repeat.why, Why::LeavesBroken);
}

#[test]
fn a_stream_that_stopped_is_given_up_only_if_its_repeat_has_somewhere_to_go() {
    let mut scene = scene(|_| ());
    let grant = scene.fleet.admit(&mut asking(Some("s")), scene.now);
    let permit = grant.unwrap().permit;

    let elsewhere = |scene: &Scene| {
        let (fleet, now) = (&scene.fleet, scene.now);
        Activity::ALL.map(|activity| fleet.may_be_answered_elsewhere(&permit, activity, now))
    };
    let before = elsewhere(&scene);
    scene.trip("B");
    scene.trip("C");
    let after = elsewhere(&scene);

    assert_eq!((before, after), ([true; 3], [false; 3]));
}

#[test]
fn without_a_session_only_a_text_that_stops_is_given_up() {
    let mut scene = scene(|_| ());
    let grant = scene.fleet.admit(&mut asking(None), scene.now);
    let permit = grant.unwrap().permit;

    let may = Activity::ALL.map(|activity| {
        let fleet = &scene.fleet;
        fleet.may_be_answered_elsewhere(&permit, activity, scene.now)
    });

    assert_eq!(may, [true, false, false]);
}

#[test]
fn a_client_that_leaves_what_is_cached_or_pinned_stays_there() {
    for pinned in [false, true] {
        let mut scene = scene(|_| ());
        if pinned {
            let a = scene.id("A");
            scene.fleet.pin(a, scene.now);
        } else {
            scene.turn("s", 100_000);
        }
        let first = scene.fleet.admit(&mut asking(Some("s")), scene.now);
        scene
            .fleet
            .settle_left_late(first.unwrap().permit, LATE, scene.now);

        let repeat = scene.fleet.admit(&mut asking(Some("s")), scene.now);

        let went = scene.name(repeat.unwrap().permit.endpoint());
        assert_eq!(went, "A", "pinned: {pinned}");
    }
}

#[test]
fn it_is_told_whether_anybody_is_left_to_ask() {
    let mut scene = scene(|_| ());
    let mut journey = asking(None);
    let first = scene.fleet.admit(&mut journey, scene.now).unwrap().permit;
    let second = scene.hedge(&mut journey, &first).unwrap();
    scene.probe_failed("C");

    let with_c = scene
        .fleet
        .hedge_anew(&mut journey, true, LATE, scene.now)
        .map(|_| ());
    let c = scene.id("C");
    scene.fleet.disable(c, scene.now);
    let without = scene
        .fleet
        .hedge_anew(&mut journey, true, LATE, scene.now)
        .map(|_| ());

    assert!(!second.is_last);
    assert_eq!(
        (with_c, without),
        (Err(NoneLeft(false)), Err(NoneLeft(true)))
    );
}

#[test]
fn the_repeat_of_what_broke_off_may_be_silent_for_longer() {
    let mut scene = scene(|_| ());
    let first = scene
        .fleet
        .admit(&mut asking(Some("s")), scene.now)
        .unwrap();
    let stalled = Fault::Stalled(SECOND);
    scene.fleet.settle_midway(first.permit, stalled, scene.now);

    let repeat = scene
        .fleet
        .admit(&mut asking(Some("s")), scene.now)
        .unwrap();

    let silence = |grant: Pace| grant.silence.of(Activity::Writing);
    assert_eq!(silence(repeat.pace), silence(first.pace) * 4);
}

#[test]
fn fixed_patience_leaves_only_the_limits_of_the_file() {
    use crate::config::Patience;
    let mut scene = scene(|config| config.failover.patience = Patience::Fixed);
    for _ in 0..50 {
        scene.turn("s", 0);
    }

    let pace = scene
        .fleet
        .admit(&mut asking(None), scene.now)
        .unwrap()
        .pace;

    assert_eq!((pace.begin, pace.silence), (None, Silences::ENDLESS));
}
