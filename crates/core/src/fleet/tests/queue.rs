//! Waiting for an endpoint to return.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fleet::queue::MOST_BYTES;

const MAX_WAIT: Duration = Duration::from_secs(10);

/// A request in the queue.
struct Waiting {
    journey: Journey,
    ticket: Ticket,
}

impl Scene {
    fn wait_in_line(&mut self) -> Waiting {
        let mut journey = journey();
        let ticket = self.deny(&mut journey).expect("it may wait");
        Waiting { journey, ticket }
    }

    /// Asks for attempts, all of which fail, until there is none; whether it may then wait.
    fn deny(&mut self, journey: &mut Journey) -> Option<Ticket> {
        while self.attempt(journey, failed()).is_ok() {}
        self.fleet.wait(journey, 1000, self.now)
    }

    fn called(&mut self) -> Vec<Ticket> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| {
                if let Effect::Called(ticket) = effect {
                    Some(ticket)
                } else {
                    None
                }
            })
            .collect()
    }

    fn in_vain(&mut self) -> Vec<Ticket> {
        let effects = self.effects().into_iter();
        effects
            .filter_map(|effect| {
                if let Effect::WaitedInVain(ticket) = effect {
                    Some(ticket)
                } else {
                    None
                }
            })
            .collect()
    }

    fn wait_ms(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.fleet.handle_timeout(self.now);
    }
}

/// One endpoint, out for failing; requests may not try it.
fn down() -> Scene {
    down_with(|config| config.failover.last_resort = false)
}

fn down_with(change: impl FnOnce(&mut Config)) -> Scene {
    let mut scene = Scene::of(1, |config| {
        config.failover.max_wait = MAX_WAIT;
        change(config);
    });
    scene.trip("A");
    scene.effects();
    scene
}

fn line(scene: &mut Scene, length: usize) -> Vec<Waiting> {
    (0..length).map(|_| scene.wait_in_line()).collect()
}

fn tickets(waiting: &[Waiting]) -> Vec<Ticket> {
    waiting.iter().map(|waiting| waiting.ticket).collect()
}

#[test]
fn while_something_is_up_nobody_waits() {
    let mut scene = Scene::of(2, |config| config.failover.max_attempts = Some(2));

    assert_eq!(scene.deny(&mut journey()), None);
}

#[test]
fn where_nothing_can_be_connected_to_the_first_waits_before_any_circuit_opens() {
    let mut scene = Scene::of(1, |config| config.failover.max_wait = MAX_WAIT);
    let mut journey = journey();
    let refused = Outcome::Failed(Fault::Connect("refused".to_owned()));
    scene.attempt(&mut journey, refused).unwrap();
    assert!(scene.fleet.admit(&mut journey, scene.now).is_err());

    let ticket = scene.fleet.wait(&mut journey, 0, scene.now).unwrap();
    scene.wait(1);
    let scout = scene.called();
    scene.attempt(&mut journey, Outcome::Answered).unwrap();

    assert_eq!(scout, [ticket]);
    assert_eq!(scene.fleet.status().next().unwrap().out_because(), None);
}

#[test]
fn those_who_wait_go_one_first_and_then_ever_more_in_their_order() {
    let mut scene = down();
    let mut waiting = line(&mut scene, 20);
    assert_eq!((scene.called(), scene.fleet.waiting()), (vec![], 20));

    scene.probed("A", 100);
    let first = scene.called();
    let mut grant = scene
        .fleet
        .admit(&mut waiting[0].journey, scene.now)
        .unwrap();
    scene
        .fleet
        .begin(&mut grant.permit, Duration::from_millis(5), scene.now);
    let after_an_answer = scene.called();
    scene.wait_ms(500);
    let after_a_while = scene.called();
    scene
        .fleet
        .settle(grant.permit, Outcome::Answered, scene.now);

    let all = tickets(&waiting);
    assert_eq!(first, all[..1]);
    assert_eq!(after_an_answer, all[1..3]);
    assert_eq!(after_a_while, all[3..5]);
}

#[test]
fn everybody_is_through_within_seconds_even_if_answers_are_slow() {
    let mut scene = down();
    let waiting = line(&mut scene, 200);
    scene.probed("A", 100);
    let mut called = scene.called();

    for _ in 0..8 {
        assert!(called.len() < 200);
        scene.wait_ms(500);
        called.extend(scene.called());
    }

    assert_eq!(called, tickets(&waiting));
}

#[test]
fn a_failure_makes_the_slope_begin_anew() {
    let mut scene = down();
    let mut waiting = line(&mut scene, 50);
    scene.probed("A", 100);
    scene.wait_ms(500);
    scene.wait_ms(500);
    let called = scene.called().len();
    assert_eq!(called, 4);

    for waiting in &mut waiting[..4] {
        scene.attempt(&mut waiting.journey, failed()).ok();
    }

    // The third failure took it out again.
    assert_eq!(scene.called(), []);
    assert_eq!(scene.fleet.waiting(), 46);
}

#[test]
fn a_half_open_endpoint_gets_one_of_them_as_its_trial() {
    let mut scene = down_with(|config| {
        config.failover.last_resort = false;
        config.breaker.cooldown = Duration::from_secs(5);
    });
    let mut waiting = line(&mut scene, 3);

    scene.wait(5);
    let first = scene.called();
    let grant = scene
        .fleet
        .admit(&mut waiting[0].journey, scene.now)
        .unwrap();
    let meanwhile = scene.called();
    scene
        .fleet
        .settle(grant.permit, Outcome::Answered, scene.now);

    assert_eq!((first, meanwhile), (tickets(&waiting[..1]), vec![]));
    assert_eq!(grant.why, Why::Trial);
    assert_eq!(scene.called(), tickets(&waiting[1..2]));
}

#[test]
fn a_scout_looks_whether_anything_is_back_and_takes_its_old_place() {
    let mut scene = down_with(|_| {});
    let mut waiting = line(&mut scene, 3);
    assert_eq!(
        waiting
            .iter()
            .map(|waiting| waiting.journey.attempts())
            .collect::<Vec<_>>(),
        [1, 0, 0],
        "the last resort is for the first; the others wait at once"
    );

    scene.wait(1);
    let scout = scene.called();
    let again = scene.deny(&mut waiting[0].journey);
    scene.wait(1);
    let too_soon = scene.called();
    scene.wait(1);
    let second = scene.called();
    let found = scene.attempt(&mut waiting[0].journey, Outcome::Answered);

    assert_eq!(
        (scout, again),
        (tickets(&waiting[..1]), Some(waiting[0].ticket)),
        "in vain"
    );
    assert_eq!((too_soon, second), (vec![], tickets(&waiting[..1])));
    assert_eq!(found.as_deref(), Ok("A"));
    assert_eq!(waiting[0].journey.attempts(), 3);
    assert_eq!(scene.called(), tickets(&waiting[1..2]));
}

#[test]
fn who_waits_too_long_waits_in_vain_and_only_once() {
    let mut scene = down();
    let mut waiting = line(&mut scene, 1);

    scene.wait(9);
    let early = scene.in_vain();
    scene.wait(1);

    assert_eq!((early, scene.in_vain()), (vec![], tickets(&waiting)));
    assert_eq!(scene.deny(&mut waiting[0].journey), None);
}

#[test]
fn whose_time_ends_on_the_slope_is_not_sent_away() {
    let mut scene = down();
    let waiting = line(&mut scene, 100);
    scene.wait(9);
    scene.effects();
    scene.probed("A", 100);

    let (mut called, mut sent_away) = (0, 0);
    for _ in 0..14 {
        for effect in scene.effects() {
            called += usize::from(matches!(effect, Effect::Called(_)));
            sent_away += usize::from(matches!(effect, Effect::WaitedInVain(_)));
        }
        scene.wait_ms(500);
    }

    assert_eq!((called, sent_away), (waiting.len(), 0));
}

#[test]
fn who_leaves_gives_its_place_up() {
    let mut scene = down();
    let waiting = line(&mut scene, 3);

    scene.fleet.leave(waiting[0].ticket, scene.now);
    scene.probed("A", 100);
    let second = scene.called();
    scene.fleet.leave(waiting[1].ticket, scene.now);

    assert_eq!(second, tickets(&waiting[1..2]));
    assert_eq!(scene.called(), tickets(&waiting[2..]));
}

#[test]
fn nobody_waits_for_what_cannot_come_in_time() {
    for (outcome, may_wait) in [
        (throttled(5), true),
        (throttled(30), false),
        (Outcome::Refused(Fault::Status(401)), false),
    ] {
        let mut scene = Scene::of(1, |config| config.failover.max_wait = MAX_WAIT);
        let mut journey = journey();
        scene.attempt(&mut journey, outcome.clone()).unwrap();
        assert!(scene.fleet.admit(&mut journey, scene.now).is_err());

        let waits = scene.fleet.wait(&mut journey, 0, scene.now);

        assert_eq!(waits.is_some(), may_wait, "{outcome:?}");
    }
}

#[test]
fn the_queue_is_bounded_in_number_and_in_bytes() {
    let mut scene = down();
    line(&mut scene, MOST_WAITING);
    assert_eq!(scene.deny(&mut journey()), None);

    let mut scene = down();
    let half = MOST_BYTES / 2;
    let mut waits = |bytes| {
        let mut journey = journey();
        scene.fleet.admit(&mut journey, scene.now).unwrap_err();
        scene.fleet.wait(&mut journey, bytes, scene.now).map(|_| ())
    };
    assert_eq!([half, half, 1].map(&mut waits), [Some(()), Some(()), None]);
}

#[test]
fn offline_one_looks_and_all_go_when_the_network_is_back() {
    let mut scene = Scene::of(2, |config| config.failover.max_wait = MAX_WAIT);
    let gone = || Outcome::Failed(Fault::Connect("no route".to_owned()));
    let mut first = journey();
    while scene.attempt(&mut first, gone()).is_ok() {}
    assert!(scene.fleet.offline_since().is_some());
    let first_ticket = scene.fleet.wait(&mut first, 0, scene.now).unwrap();
    let second = scene.wait_in_line();

    scene.effects();
    scene.wait(1);
    let scout = scene.called();
    scene.attempt(&mut first, Outcome::Answered).unwrap();

    assert_eq!(scout, [first_ticket]);
    assert_eq!(scene.called(), [second.ticket]);
}

#[test]
fn at_the_end_of_the_program_nobody_waits_any_more() {
    let mut scene = down();
    let waiting = line(&mut scene, 3);

    scene.fleet.turn_away(scene.now);

    assert_eq!(scene.in_vain(), tickets(&waiting));
    assert_eq!(scene.deny(&mut journey()), None);
}

/// How the endpoint comes back that does not serve the model of those who wait.
#[derive(Clone, Copy, Debug)]
enum Return {
    Closed,
    HalfOpen,
}

/// A does not serve the model and is back, B serves it and is out. So many wait for it.
fn back_in_vain(length: usize, max_wait: Duration, way: Return) -> (Scene, Vec<Waiting>) {
    let mut scene = Scene::of(2, |config| {
        config.failover.max_wait = max_wait;
        config.failover.last_resort = false;
        config.breaker.cooldown = SECOND * 300;
        config.breaker.max_cooldown = SECOND * 300;
    });
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.request(Outcome::model_not_served(Fault::Status(404)));
    scene.fleet.unpin(scene.now);
    trip_by_token_counts(&mut scene, "A");
    scene.wait(299);
    scene.trip("B");
    let waiting = line(&mut scene, length);
    scene.effects();
    match way {
        Return::Closed => scene.probed("A", 100),
        Return::HalfOpen => scene.wait(1),
    }
    (scene, waiting)
}

/// Takes an endpoint out by requests of a kind that it serves.
fn trip_by_token_counts(scene: &mut Scene, name: &str) {
    scene.fleet.pin(scene.id(name), scene.now);
    for _ in 0..3 {
        let mut count = Journey::new(CallKind::CountTokens, Some("m".to_owned()), None);
        assert_eq!(scene.attempt(&mut count, failed()).as_deref(), Ok(name));
    }
    scene.fleet.unpin(scene.now);
}

/// Lets whoever is called ask again, until nothing more happens at this moment. How many were called.
fn ask_again(scene: &mut Scene, waiting: &mut BTreeMap<Ticket, Journey>) -> usize {
    let most = waiting.len();
    let mut calls = 0;
    loop {
        let called = scene.called();
        if called.is_empty() {
            return calls;
        }
        for ticket in called {
            calls += 1;
            assert!(calls <= most, "called again at once");
            let mut journey = waiting.remove(&ticket).unwrap();
            scene.fleet.admit(&mut journey, scene.now).unwrap_err();
            if let Some(ticket) = scene.fleet.wait(&mut journey, 1000, scene.now) {
                waiting.insert(ticket, journey);
            }
        }
    }
}

proptest! {
    #[test]
    fn who_is_called_and_denied_is_called_seldom_while_nothing_changes(
        length in 1_usize..40,
        max_wait in 2_u64..30,
        way in prop_oneof![Just(Return::Closed), Just(Return::HalfOpen)],
    ) {
        let (mut scene, waiting) = back_in_vain(length, SECOND * max_wait as u32, way);
        let mut waiting: BTreeMap<Ticket, Journey> =
            waiting.into_iter().map(|one| (one.ticket, one.journey)).collect();
        let end = scene.now + SECOND * (max_wait as u32 + 10);
        let mut calls = ask_again(&mut scene, &mut waiting);

        let mut steps = 0;
        while scene.now < end {
            let next = scene.fleet.poll_timeout().filter(|&at| at < end);
            scene.now = next.unwrap_or(end);
            scene.fleet.handle_timeout(scene.now);
            calls += ask_again(&mut scene, &mut waiting);
            steps += 1;
        }

        let most_each = 5 + max_wait as usize / 4;
        prop_assert!(calls >= length.min(2), "somebody was called");
        prop_assert!(calls <= length * most_each, "{calls} calls of {length} in {max_wait} s");
        prop_assert!(steps <= 40 + calls + 4 * max_wait as usize, "{steps} wake-ups");
        prop_assert_eq!(scene.fleet.waiting(), 0, "nobody waits for ever");
    }
}

#[test]
fn who_was_denied_goes_at_once_when_its_endpoint_returns() {
    let (mut scene, waiting) = back_in_vain(3, MAX_WAIT, Return::Closed);
    let tickets = tickets(&waiting);
    let mut waiting = waiting
        .into_iter()
        .map(|one| (one.ticket, one.journey))
        .collect();
    ask_again(&mut scene, &mut waiting);
    assert_eq!(scene.fleet.waiting(), 3);

    scene.probed("B", 100);
    let called = scene.called();
    let first = waiting.get_mut(&tickets[0]).unwrap();

    assert_eq!(called, tickets[..1]);
    assert_eq!(
        scene.attempt(first, Outcome::Answered).as_deref(),
        Ok("B"),
        "in its old place"
    );
}

#[test]
fn who_rests_after_a_denial_stands_in_nobodys_way() {
    let (mut scene, waiting) = back_in_vain(3, MAX_WAIT, Return::Closed);
    let mut waiting = waiting
        .into_iter()
        .map(|one| (one.ticket, one.journey))
        .collect();
    ask_again(&mut scene, &mut waiting);

    let mut other_model = Journey::new(CallKind::Messages, Some("other".to_owned()), None);
    let other = scene.attempt(&mut other_model, Outcome::Answered);

    assert_eq!(other.as_deref(), Ok("A"));
    assert_eq!(scene.fleet.waiting(), 3);
}
