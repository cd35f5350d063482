//! How an endpoint behaves: well, or in one of the ways in which endpoints fail.
//!
//! A [`Behaviour`] is data. [`Behaviour::script`] says what it means for one request: what breaks a stream
//! does to an answer in one piece what comes closest to that.

use std::time::Duration;

use zephyr_testkit::{Act, PortFault, Received, Script, Step};

use super::answers::{Answer, Place, ping};

/// How an endpoint behaves, for good.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// As it should.
    Well,
    /// Says the same to whatever it is asked.
    Says(Act),
    /// Its answers go wrong at this place. Where an answer has no such place, it is as it should be.
    Breaks(Place, How),
    /// The model thinks first, and its answers go wrong at this place.
    ThinksAndBreaks(Place, How),
    /// Its answers pause at this place, and then go on.
    Pauses(Place, Duration),
    /// Its answers come late.
    Late(Late, Duration),
    /// Its streams are changed.
    Changes(fn(&Answer) -> Vec<Step>),
    /// Its port is faulty.
    Port(PortFault),
    /// Its address is wrong, or whoever answers there is.
    Address(Address),
}

/// What happens to an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// The connection is closed.
    Closed,
    /// The connection is reset.
    Reset,
    /// The body ends as if it were complete.
    Ended,
    /// Nothing more comes.
    Silent,
    /// Nothing but pings comes.
    Pinging,
    /// An `error` event of this type comes, and ends the body.
    Error(&'static str),
}

/// What comes late.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Late {
    /// The head, and everything behind it.
    Head,
    /// The first event; the head is there at once.
    FirstEvent,
}

/// What is wrong with an address; it is so from the beginning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Address {
    /// `https`, but its port speaks plain HTTP.
    HttpsToPlainPort,
    /// A certificate that nobody vouches for.
    UntrustedCertificate,
    /// A name that does not exist.
    UnknownName,
}

/// How fast an endpoint is that works.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Until the answer to a check.
    pub check: Duration,
    /// Until an answer's head and its first event.
    pub first_event: Duration,
}

impl Behaviour {
    /// Whether it can only be so from the beginning.
    pub fn is_in_the_address(&self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// Whether checks meet it too, which never get as far as a request.
    pub fn concerns_connections(&self) -> bool {
        matches!(self, Self::Port(_) | Self::Address(_))
    }

    /// What an endpoint of this pace does, whose checks pass or meet the fault as well.
    pub fn script(&self, pace: Pace, checks: Checks) -> Script {
        let behaviour = self.clone();
        Script::by(move |request| match Asked::of(request) {
            Asked::Check if checks == Checks::Pass => Act::message("ok").after(pace.check),
            Asked::Check | Asked::Stream | Asked::Message => behaviour.act(request, pace),
            Asked::Other => Act::message("").after(pace.check),
        })
    }

    /// Whether this is a request for a message that is no check.
    pub fn is_of_a_client(request: &Received) -> bool {
        matches!(Asked::of(request), Asked::Stream | Asked::Message)
    }

    fn act(&self, request: &Received, pace: Pace) -> Act {
        let answer = Answer::to(request);
        if Asked::of(request) != Asked::Stream {
            return self.in_one_piece(&answer, pace);
        }
        let streams = |steps| Act::sse(steps).after(pace.first_event);
        match self {
            Self::Well | Self::Port(_) | Self::Address(_) => streams(answer.steps()),
            Self::Says(act) => act.clone().after(pace.check),
            Self::Breaks(place, how) => streams(broken(&answer, *place, *how)),
            Self::ThinksAndBreaks(place, how) => {
                streams(broken(&answer.after_thinking(), *place, *how))
            }
            Self::Pauses(place, time) => streams(paused(answer, *place, *time)),
            Self::Late(Late::Head, time) => streams(answer.steps()).after(*time),
            Self::Late(Late::FirstEvent, time) => {
                let mut steps = vec![Step::Wait(*time)];
                steps.extend(answer.steps());
                streams(steps)
            }
            Self::Changes(change) => streams(change(&answer)),
        }
    }

    fn in_one_piece(&self, answer: &Answer, pace: Pace) -> Act {
        let well = Act::json(&answer.message()).after(pace.first_event);
        match self {
            Self::Well | Self::Port(_) | Self::Address(_) | Self::Changes(_) => well,
            Self::Says(act) => act.clone().after(pace.check),
            Self::Breaks(_, how) | Self::ThinksAndBreaks(_, how) => match how {
                How::Closed | How::Reset => Act::cut_message().after(pace.first_event),
                How::Ended => Act::malformed_json_200().after(pace.first_event),
                How::Silent | How::Pinging => Act::hang(),
                How::Error(_) => Act::json_error_200().after(pace.first_event),
            },
            Self::Pauses(_, time) | Self::Late(_, time) => well.after(*time),
        }
    }
}

/// What becomes of checks at an endpoint that fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// They are answered as if all were well. It is the worse of the two: only requests of clients show
    /// that something is wrong.
    Pass,
    /// They meet the fault too.
    Fail,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    /// One token, as Zephyr's checks ask for.
    Check,
    Stream,
    Message,
    /// Anything but a message.
    Other,
}

impl Asked {
    fn of(request: &Received) -> Self {
        if request.method != "POST" || !request.path().ends_with("/messages") {
            return Self::Other;
        }
        let asked = request.json();
        if asked["max_tokens"] == 1 {
            Self::Check
        } else if asked["stream"] == true {
            Self::Stream
        } else {
            Self::Message
        }
    }
}

fn broken(answer: &Answer, place: Place, how: How) -> Vec<Step> {
    let Some((mut steps, _)) = answer.split(place) else {
        return answer.steps();
    };
    match how {
        How::Closed => steps.push(Step::Cut),
        How::Reset => steps.push(Step::Reset),
        How::Ended => steps.push(Step::End),
        How::Silent => steps.push(Step::Stall),
        How::Pinging => {
            let pings = (0..MOST_PINGS).flat_map(|_| [Step::Wait(BETWEEN_PINGS), ping()]);
            steps.extend(pings);
            steps.push(Step::Stall);
        }
        How::Error(kind) => steps.extend([Step::error_event(kind), Step::End]),
    }
    steps
}

fn paused(answer: Answer, place: Place, time: Duration) -> Vec<Step> {
    let answer = if place == Place::InThinking {
        answer.after_thinking()
    } else {
        answer
    };
    let Some((mut steps, rest)) = answer.split(place) else {
        return answer.steps();
    };
    steps.push(Step::Wait(time));
    steps.extend(rest);
    steps
}

const BETWEEN_PINGS: Duration = Duration::from_secs(5);

/// As many as are sent in ten minutes, which is longer than any job may take.
const MOST_PINGS: usize = 120;
