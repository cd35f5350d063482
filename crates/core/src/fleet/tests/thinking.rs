//! Requests whose thinking others have signed.

use super::*;
use crate::classify::Subject;

fn unreadable() -> Outcome {
    Outcome::NotServed {
        fault: Fault::Status(400),
        subject: Subject::Signature,
        lasts: None,
    }
}

impl Scene {
    /// An attempt that could not read the thinking of `journey`; where it went.
    fn cannot_read(&mut self, journey: &mut Journey) -> String {
        let went = self.attempt(journey, unreadable()).unwrap();
        let id = self.id(&went);
        journey.note_miss(id, &unreadable());
        went
    }
}

#[test]
fn without_its_thinking_a_request_may_go_back_to_whom_could_not_read_it() {
    let mut scene = Scene::of(2, |_| {});
    let mut journey = journey();
    assert!(!journey.may_lack_thinking());

    let first = scene.cannot_read(&mut journey);
    let denied = scene.fleet.admit(&mut journey, scene.now);
    let may_lack = journey.may_lack_thinking();
    journey.leave_thinking_out();
    let grant = scene.fleet.admit(&mut journey, scene.now).unwrap();

    assert_eq!(denied.unwrap_err().why, DeniedWhy::NoneFit);
    assert!(may_lack);
    assert_eq!((first.as_str(), grant.why), ("A", Why::WithoutThinking));
    assert_eq!(scene.name(grant.permit.endpoint()), "A");
    assert_eq!(journey.attempts(), 2);
    scene
        .fleet
        .settle(grant.permit, Outcome::Answered, scene.now);
}

#[test]
fn whoever_failed_otherwise_stays_tried_and_thinking_is_left_out_once() {
    let mut scene = Scene::of(2, |_| {});
    let mut journey = conversation("at A");
    scene
        .attempt(&mut journey.clone(), Outcome::Answered)
        .unwrap();

    let home = scene.attempt(&mut journey, failed()).unwrap();
    let other = scene.cannot_read(&mut journey);
    let denied = scene.fleet.admit(&mut journey, scene.now);
    journey.leave_thinking_out();
    let again = scene.cannot_read(&mut journey);

    assert!(denied.is_err(), "its home was asked already");
    assert_eq!(
        (home.as_str(), other.as_str(), again.as_str()),
        ("A", "B", "B")
    );
    assert!(!journey.may_lack_thinking());
    assert_eq!(journey.attempts(), 3);
}
