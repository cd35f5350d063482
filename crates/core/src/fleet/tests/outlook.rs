//! How things are as a whole.

use super::*;

/// Where the outlook points, by names.
fn about(scene: &Scene) -> (Option<String>, Option<String>) {
    let name = |id| Some(scene.name(id));
    match scene.outlook().about {
        About::Nothing | About::Several => (None, None),
        About::Endpoint(id) => (name(id), None),
        About::Pin { pin, stand_in } => (name(pin), stand_in.and_then(name)),
    }
}

impl Scene {
    fn outlook(&self) -> Outlook {
        self.fleet.outlook(self.now)
    }

    fn said(&self) -> (Overall, Because) {
        let Outlook {
            overall, because, ..
        } = self.outlook();
        (overall, because)
    }

    fn counted(&self) -> (usize, usize) {
        let Outlook { answering, of, .. } = self.outlook();
        (answering, of)
    }

    fn all_probed(endpoints: usize, change: impl FnOnce(&mut Config)) -> Self {
        let mut scene = Self::of(endpoints, change);
        for index in 0..endpoints {
            let name = char::from(b'A' + u8::try_from(index).unwrap()).to_string();
            scene.probed(&name, 50);
        }
        scene
    }

    fn throttle(&mut self, name: &str) {
        self.fleet.pin(self.id(name), self.now);
        assert_eq!(self.request(throttled(120)), name);
        self.fleet.unpin(self.now);
    }
}

fn some(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[test]
fn it_starts_until_something_is_measured_or_used() {
    let mut scene = Scene::of(2, |_| {});
    let before = scene.said();

    scene.probed("A", 50);
    let measured = scene.said();
    let mut used = Scene::of(2, |_| {});
    used.request(Outcome::Answered);

    assert_eq!(before, (Overall::Starting, Because::NothingKnown));
    assert_eq!(measured, (Overall::Well, Because::AllAnswer));
    assert_eq!(used.said(), (Overall::Well, Because::AllAnswer));
}

#[test]
fn it_is_well_while_every_endpoint_answers_and_one_that_is_switched_off_does_not_count() {
    let mut scene = Scene::all_probed(3, |_| {});

    scene.fleet.disable(scene.id("C"), scene.now);

    assert_eq!(scene.said(), (Overall::Well, Because::AllAnswer));
    assert_eq!(scene.counted(), (2, 2));
    assert_eq!(about(&scene), (some("A"), None));
}

#[test]
fn some_that_are_out_degrade_it() {
    let mut scene = Scene::all_probed(3, |_| {});

    scene.throttle("B");

    assert_eq!(scene.said(), (Overall::Degraded, Because::SomeAnswer));
    assert_eq!(scene.counted(), (2, 3));
}

#[test]
fn distributed_requests_are_counted_and_never_well_while_three_of_four_are_out() {
    for strategy in [
        Strategy::RoundRobin,
        Strategy::WeightedRoundRobin,
        Strategy::Random,
    ] {
        let mut scene = Scene::all_probed(4, |config| config.routing.strategy = strategy);
        for name in ["A", "B", "C"] {
            scene.throttle(name);
        }

        let one_left = (scene.said(), scene.counted(), scene.outlook().about);
        scene.throttle("D");

        assert_eq!(
            one_left,
            (
                (Overall::Degraded, Because::SomeAnswer),
                (1, 4),
                About::Several
            )
        );
        assert_eq!(
            scene.said(),
            (Overall::Out, Because::AllOut(Some(AllOut::Throttled)))
        );
    }
}

#[test]
fn a_pin_that_fails_is_named_with_its_stand_in() {
    let mut scene = Scene::all_probed(2, |_| {});
    scene.fleet.pin(scene.id("B"), scene.now);
    let fine = (scene.said(), about(&scene));

    scene.request(failed());
    let stray = scene.said().0;
    scene.request(failed());
    let moving = (scene.said(), about(&scene));
    scene.request(failed());
    let out = (scene.said(), about(&scene));

    let to = Some(scene.id("A"));
    assert_eq!(
        fine,
        ((Overall::Well, Because::AllAnswer), (some("B"), None))
    );
    assert_eq!(stray, Overall::Well, "one failure is a stray");
    let named = (some("B"), some("A"));
    assert_eq!(
        moving,
        ((Overall::Degraded, Because::MovesOn { to }), named.clone())
    );
    assert_eq!(out, ((Overall::Degraded, Because::StandIn), named));
}

#[test]
fn a_pin_without_failover_has_no_stand_in() {
    let mut scene = Scene::all_probed(2, |config| config.failover.enabled = false);
    scene.fleet.pin(scene.id("B"), scene.now);

    for _ in 0..3 {
        scene.request(failed());
    }

    assert_eq!(scene.said(), (Overall::Out, Because::PinOut));
    assert_eq!(about(&scene), (some("B"), None));
}

#[test]
fn the_last_endpoint_that_fails_is_told_before_it_is_out() {
    let mut scene = Scene::all_probed(1, |_| {});

    scene.request(failed());
    scene.request(failed());
    let faltering = scene.said();
    scene.request(failed());
    let out = scene.said();
    scene.wait(61);

    assert_eq!(faltering, (Overall::Degraded, Because::Faltering));
    let all_fail = (Overall::Out, Because::AllOut(Some(AllOut::Failing)));
    assert_eq!(out, all_fail);
    assert_eq!(scene.said(), all_fail, "a trial is no proof");
}

#[test]
fn it_is_out_for_one_reason_if_all_have_the_same() {
    let refuses = || Outcome::Refused(Fault::Status(401));
    let mut scene = Scene::all_probed(2, |_| {});
    scene.request(refuses());
    scene.request(refuses());
    let all_refuse = scene.said();

    let mut mixed = Scene::all_probed(2, |_| {});
    mixed.request(refuses());
    mixed.request(throttled(120));

    assert_eq!(
        all_refuse,
        (Overall::Out, Because::AllOut(Some(AllOut::Refused)))
    );
    assert_eq!(mixed.said(), (Overall::Out, Because::AllOut(None)));
}

#[test]
fn nothing_to_use_is_out() {
    let none = Scene::of(0, |_| {});
    let mut disabled = Scene::all_probed(1, |_| {});
    disabled.fleet.disable(disabled.id("A"), disabled.now);

    assert_eq!(none.said(), (Overall::Out, Because::NoEndpoints));
    assert_eq!(disabled.said(), (Overall::Out, Because::NoneEnabled));
}

#[test]
fn a_pause_outranks_what_is_degraded_and_not_what_is_out() {
    let mut scene = Scene::all_probed(2, |_| {});
    scene.fleet.pause(scene.now);
    let well = scene.said();
    scene.throttle("A");
    let degraded = scene.said();
    scene.throttle("B");

    assert_eq!(well, (Overall::Paused, Because::AllAnswer));
    assert_eq!(degraded, (Overall::Paused, Because::SomeAnswer));
    assert_eq!(scene.said().0, Overall::Out);
}

#[test]
fn a_lost_network_is_offline_and_no_endpoint_answers() {
    let mut scene = Scene::all_probed(2, |_| {});
    scene.fleet.pause(scene.now);
    for name in ["A", "B"] {
        let lost = Outcome::Failed(Fault::Connect("no route".to_owned()));
        let id = scene.id(name);
        scene
            .fleet
            .handle_probe(id, ProbeResult::Failed(lost), scene.now);
    }

    assert_eq!(scene.said(), (Overall::Offline, Because::Unreachable));
    assert_eq!(scene.counted(), (0, 2));
}

#[test]
fn those_who_wait_go_first() {
    let mut scene = Scene::all_probed(1, |_| {});
    let mut journeys: Vec<_> = (0..3).map(|_| journey()).collect();
    for _ in 0..3 {
        scene.request(failed());
    }
    for journey in &mut journeys {
        let _ = scene.attempt(journey, failed());
        assert!(scene.fleet.wait(journey, 10, scene.now).is_some());
    }
    let waiting = scene.said().0;

    scene.fleet.reinstate(scene.id("A"), scene.now);

    assert_eq!(waiting, Overall::Out);
    assert_eq!(scene.said(), (Overall::Out, Because::OthersFirst));
}

#[test]
fn a_reason_that_is_no_longer_true_is_gone() {
    let mut scene = Scene::of(2, |_| {});
    assert_eq!(scene.why(), Why::FirstChoice);
    scene.probed("A", 35);
    let measured = scene.why();

    for _ in 0..3 {
        scene.request(failed());
    }
    let replaced = (scene.preferred(), scene.why());
    scene.fleet.reinstate(scene.id("A"), scene.now);
    let back = (scene.preferred(), scene.why());

    assert_eq!(measured, Why::NoneBetter);
    assert_eq!(replaced, (some("B"), Why::Replaces));
    assert_eq!(back, (some("B"), Why::NoneBetter));
}
