//! After an answer that broke off midway.

use super::*;

/// Two endpoints; A is the one to go to, by every strategy.
fn two(change: impl FnOnce(&mut Config)) -> Scene {
    let mut scene = Scene::of(2, |config| {
        config.endpoints[1].priority = 2;
        config.endpoints[1].price = 2.0;
        change(config);
    });
    scene.probed("A", 50);
    scene.probed("B", 500);
    scene
}

impl Scene {
    /// A request of the conversation whose answer breaks off midway; where it went.
    fn broken(&mut self, journey: &mut Journey) -> String {
        let mut grant = self.fleet.admit(journey, self.now).unwrap();
        let name = self.name(grant.permit.endpoint());
        let ttft = Duration::from_millis(100);
        self.fleet.begin(&mut grant.permit, ttft, self.now);
        self.fleet.settle_midway(grant.permit, Fault::Cut, self.now);
        name
    }

    /// Where the next request of the conversation goes, and why.
    fn next(&mut self, journey: &mut Journey) -> (String, Why) {
        let grant = self.fleet.admit(journey, self.now).unwrap();
        let (name, why) = (self.name(grant.permit.endpoint()), grant.why);
        self.fleet.settle(grant.permit, Outcome::Answered, self.now);
        (name, why)
    }
}

const STRATEGIES: [Strategy; 3] = [Strategy::Latency, Strategy::Priority, Strategy::Price];

fn elsewhere() -> (String, Why) {
    ("B".to_owned(), Why::LeavesBroken)
}

#[test]
fn a_repeat_that_breaks_off_too_avoids_both() {
    let mut scene = Scene::of(4, |_| ());
    let asking = || Journey::new(CallKind::Messages, None, Some(SessionKey::of("s")));
    let mut breaks = || {
        let grant = scene.fleet.admit(&mut asking(), scene.now).unwrap();
        let name = scene.name(grant.permit.endpoint());
        scene
            .fleet
            .settle_midway(grant.permit, Fault::Cut, scene.now);
        name
    };

    let route = [breaks(), breaks(), breaks(), breaks()];

    assert_eq!(route, ["A", "B", "C", "D"]);
}

#[test]
fn the_repeat_of_a_broken_answer_goes_elsewhere_once_whatever_the_strategy() {
    for strategy in STRATEGIES {
        let mut scene = two(|config| {
            config.routing.strategy = strategy;
            config.routing.sticky_sessions = false;
        });
        assert_eq!(scene.broken(&mut conversation("s")), "A");

        let repeat = scene.next(&mut conversation("s"));
        let second = scene.next(&mut conversation("s"));

        assert_eq!(repeat, elsewhere(), "{strategy:?}");
        assert_eq!(second, ("A".to_owned(), Why::InUse), "{strategy:?}");
    }
}

#[test]
fn a_conversation_leaves_the_home_that_broke_off_and_settles_where_it_goes() {
    for strategy in STRATEGIES {
        let mut scene = two(|config| config.routing.strategy = strategy);
        let before = scene.next(&mut conversation("s"));
        let broken = scene.broken(&mut conversation("s"));

        let repeat = scene.next(&mut conversation("s"));
        let second = scene.next(&mut conversation("s"));

        assert_eq!((before.0.as_str(), broken.as_str()), ("A", "A"));
        assert_eq!(repeat, elsewhere(), "{strategy:?}");
        assert_eq!(second, ("B".to_owned(), Why::Sticky), "{strategy:?}");
    }
}

#[test]
fn a_pinned_endpoint_that_broke_off_is_avoided_once_and_the_pin_stays() {
    let mut scene = two(|_| ());
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.broken(&mut conversation("s"));

    let repeat = scene.next(&mut conversation("s"));
    let second = scene.next(&mut conversation("s"));

    assert_eq!(repeat, elsewhere());
    assert_eq!(second, ("A".to_owned(), Why::Pinned));
}

#[test]
fn requests_in_turn_leave_out_whom_the_last_answer_broke_off() {
    for strategy in [
        Strategy::RoundRobin,
        Strategy::WeightedRoundRobin,
        Strategy::Random,
    ] {
        let mut scene = two(|config| {
            config.routing.strategy = strategy;
            config.routing.sticky_sessions = false;
            config.breaker.policy = never();
        });
        for _ in 0..20 {
            let broken = scene.broken(&mut conversation("s"));
            let (repeat, why) = scene.next(&mut conversation("s"));

            assert_ne!(repeat, broken, "{strategy:?}");
            assert_eq!(why, Why::Turn);
        }
    }
}

#[test]
fn only_the_conversation_itself_goes_elsewhere() {
    let mut scene = two(|_| ());
    scene.broken(&mut conversation("s"));
    let session = Some(SessionKey::of("s"));
    let side_call = Some("small".to_owned());

    let others = [
        journey(),
        conversation("another"),
        Journey::new(CallKind::Messages, side_call, session),
        Journey::new(CallKind::CountTokens, Some("m".to_owned()), session),
    ]
    .map(|mut journey| scene.next(&mut journey).0);
    let repeat = scene.next(&mut conversation("s"));

    assert_eq!(others, ["A"; 4]);
    assert_eq!(repeat, elsewhere());
}

#[test]
fn a_broken_endpoint_is_better_than_none() {
    let mut scene = two(|_| ());
    scene.trip("B");
    scene.broken(&mut conversation("s"));

    let mut repeat = conversation("s");
    let again = scene.attempt(&mut repeat, failed());

    assert_eq!(again.as_deref(), Ok("A"));
}

#[test]
fn a_repeat_that_fails_elsewhere_may_still_come_back() {
    let mut scene = two(|_| ());
    scene.broken(&mut conversation("s"));
    let mut repeat = conversation("s");

    let route =
        [failed(), Outcome::Answered].map(|outcome| scene.attempt(&mut repeat, outcome).unwrap());

    assert_eq!(route, ["B", "A"]);
}

#[test]
fn a_repeat_that_may_go_no_further_is_told_why_not_there() {
    let mut scene = Scene::of(3, |config| config.failover.max_attempts = Some(1));
    scene.broken(&mut conversation("s"));
    let mut repeat = conversation("s");
    scene.attempt(&mut repeat, failed()).unwrap();

    let denied = scene.attempt(&mut repeat, failed()).unwrap_err();

    let a = scene.id("A");
    assert_eq!(denied.why, DeniedWhy::AttemptsSpent);
    assert!(denied.endpoints.contains(&(a, WhyNot::BrokeOff)));
}

#[test]
fn a_break_is_forgotten_after_the_conversations_time() {
    let mut scene = two(|_| ());
    scene.broken(&mut conversation("s"));

    scene.wait(300);
    let repeat = scene.next(&mut conversation("s"));

    assert_eq!(repeat.0, "A");
}

#[test]
fn a_lost_network_breaks_answers_and_nobody_is_avoided_for_it() {
    let mut scene = two(|_| ());
    let grant = scene
        .fleet
        .admit(&mut conversation("s"), scene.now)
        .unwrap();
    scene.fleet.wake(scene.now);
    scene
        .fleet
        .settle_midway(grant.permit, Fault::Cut, scene.now);

    assert_eq!(scene.next(&mut conversation("s")).0, "A");
}

#[test]
fn without_failover_a_repeat_goes_where_requests_go() {
    let mut scene = two(|config| config.failover.enabled = false);
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.broken(&mut conversation("s"));

    let repeat = scene.next(&mut conversation("s"));

    assert_eq!(repeat, ("A".to_owned(), Why::Pinned));
}

#[test]
fn a_repeat_is_no_trial() {
    let mut scene = Scene::of(3, |config| {
        for endpoint in &mut config.endpoints {
            endpoint.health_check.mode = ProbeMode::Off;
        }
    });
    scene.trip("B");
    scene.wait(60);
    let trial = scene
        .fleet
        .admit(&mut conversation("s"), scene.now)
        .unwrap();
    assert_eq!(trial.why, Why::Trial);
    scene
        .fleet
        .settle(trial.permit, Outcome::Abandoned, scene.now);
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.broken(&mut conversation("s"));
    scene.fleet.unpin(scene.now);

    let repeat = scene.next(&mut conversation("s"));

    assert_eq!(repeat.0, "C", "one that is known to work");
}

#[test]
fn a_repeat_that_is_the_trial_of_the_pin_says_so() {
    let mut scene = Scene::of(2, |config| {
        for endpoint in &mut config.endpoints {
            endpoint.health_check.mode = ProbeMode::Off;
        }
    });
    scene.trip("B");
    scene.wait(60);
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.broken(&mut conversation("s"));
    scene.fleet.pin(scene.id("B"), scene.now);

    let repeat = scene.next(&mut conversation("s"));

    assert_eq!(repeat, ("B".to_owned(), Why::Trial));
}
