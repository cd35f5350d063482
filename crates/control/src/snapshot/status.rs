//! How things are as a whole.
//!
//! Computed once, where the engine is. Front-ends show it and derive nothing of their own: in an outage each of
//! them says the same.

use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// How things are as a whole: in one word, in one line, and which endpoint that is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OverallStatus {
    /// In one word.
    pub overall: Overall,
    /// In one line.
    pub headline: Headline,
    /// Which endpoint that is about.
    pub about: About,
}

/// How things are, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// Requests are answered as wished.
    Well,
    /// Requests are answered, but not as wished, or a person should look at something.
    Degraded,
    /// A request of now would be denied or would wait.
    Out,
    /// Monitoring is paused.
    Paused,
    /// Nothing at all can be reached.
    Offline,
    /// Nothing has been measured or used yet.
    Starting,
    /// The front-end has lost the program. No snapshot says this.
    Disconnected,
}

/// How things are, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "headline", rename_all = "snake_case")]
pub enum Headline {
    /// The program starts; no engine runs yet.
    Starting,
    /// No engine runs. The problems say why.
    Stopped,
    /// No endpoint is configured.
    NoEndpoints,
    /// Every endpoint is switched off.
    NoneEnabled,
    /// Nothing has been measured or used yet, and requests are distributed.
    NotMeasured,
    /// Nothing has been measured or used yet. The next request goes to the first choice.
    FirstChoice {
        /// Where.
        endpoint: String,
    },
    /// The next request goes there, and all is well.
    InUse {
        /// Where.
        endpoint: String,
    },
    /// Requests are distributed.
    Distributed {
        /// How many endpoints answer.
        answering: usize,
        /// How many are switched on.
        of: usize,
    },
    /// The next request is answered, but some endpoints are out or failing.
    SomeAnswer {
        /// Where the next request goes.
        endpoint: String,
        /// How many endpoints answer.
        answering: usize,
        /// How many are switched on.
        of: usize,
    },
    /// The pinned endpoint cannot take the next request, and another does.
    StandIn {
        /// The pinned one.
        pin: String,
        /// The other.
        endpoint: String,
    },
    /// The pinned endpoint cannot take the next request, and requests are distributed.
    StandIns {
        /// The pinned one.
        pin: String,
        /// How many endpoints answer.
        answering: usize,
        /// How many are switched on.
        of: usize,
    },
    /// Every request is tried at an endpoint that fails, and then moves on.
    MovesOn {
        /// The one that fails.
        endpoint: String,
        /// The one that answers.
        to: String,
    },
    /// The same, and several endpoints answer in turns.
    MovesAround {
        /// The one that fails.
        endpoint: String,
    },
    /// The endpoint has failed lately, and no other can take the next request.
    Faltering {
        /// Which.
        endpoint: String,
    },
    /// The endpoint takes many times as long as usual.
    Slow {
        /// Which.
        endpoint: String,
    },
    /// The next request finds out whether an endpoint is back.
    Tried {
        /// Which.
        endpoint: String,
        /// How many endpoints answer.
        answering: usize,
        /// How many are switched on.
        of: usize,
    },
    /// No endpoint is usable, each for its own reason.
    NoneUsable,
    /// No endpoint is usable: all fail or cannot be reached.
    AllFailing,
    /// No endpoint is usable: all asked for a pause.
    AllThrottled,
    /// No endpoint is usable: all quotas are used up.
    AllExhausted,
    /// No endpoint is usable: all refuse their credentials.
    AllRefused,
    /// No endpoint is usable: no credential was found.
    NoCredentials,
    /// The pinned endpoint is out, and without failover no other is asked.
    PinOut {
        /// The pinned one.
        pin: String,
    },
    /// Endpoints are back, but requests that have waited go first.
    OthersFirst,
    /// Nothing at all can be reached.
    Unreachable,
    /// Requests are answered as wished, but a person should look at something.
    Attention {
        /// How many problems there are to look at.
        problems: usize,
    },
}

/// Which endpoint an [`OverallStatus`] is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    /// None: the next request gets none.
    Nothing,
    /// The one that the next request gets.
    Endpoint {
        /// Its name.
        endpoint: String,
    },
    /// The one that a person chose.
    Pin {
        /// Its name.
        pin: String,
        /// The one that answers in its place.
        stand_in: Option<String>,
    },
    /// Several, among which requests are distributed.
    Several,
}

impl OverallStatus {
    /// The status of a program that runs no engine: it starts, or its problems say why it does not.
    pub fn without_engine(problems: &[Problem]) -> Self {
        let (overall, headline) = if problems.is_empty() {
            (Overall::Starting, Headline::Starting)
        } else {
            (Overall::Out, Headline::Stopped)
        };
        Self {
            overall,
            headline,
            about: About::Nothing,
        }
    }

    /// The same, if a person should look at these problems, too: what is well otherwise is not.
    #[must_use]
    pub fn with_problems(self, problems: &[Problem]) -> Self {
        let problems = problems
            .iter()
            .filter(|one| one.kind.needs_attention())
            .count();
        if self.overall == Overall::Well && problems > 0 {
            Self {
                overall: Overall::Degraded,
                headline: Headline::Attention { problems },
                about: self.about,
            }
        } else {
            self
        }
    }

    /// The endpoint that answers the next request, if it is one and it is known.
    pub fn answering(&self) -> Option<&str> {
        match &self.about {
            About::Endpoint { endpoint } => Some(endpoint),
            About::Pin {
                stand_in: Some(endpoint),
                ..
            } => Some(endpoint),
            About::Pin {
                pin,
                stand_in: None,
            } => Some(pin),
            About::Nothing | About::Several => None,
        }
    }
}

impl Default for OverallStatus {
    /// What an instance says that is too old to say anything.
    fn default() -> Self {
        Self::without_engine(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::ProblemKind;

    fn well() -> OverallStatus {
        OverallStatus {
            overall: Overall::Well,
            headline: Headline::InUse {
                endpoint: "A".to_owned(),
            },
            about: About::Endpoint {
                endpoint: "A".to_owned(),
            },
        }
    }

    #[test]
    fn a_problem_that_needs_attention_spoils_only_what_is_well() {
        let warning = Problem::new(ProblemKind::ConfigWarning, "odd", "");
        let locked = Problem::new(ProblemKind::Keychain, "locked", "");
        let out = OverallStatus {
            overall: Overall::Out,
            headline: Headline::NoneUsable,
            about: About::Nothing,
        };

        let warned = well().with_problems(std::slice::from_ref(&warning));
        let spoilt = well().with_problems(&[warning, locked.clone()]);

        assert_eq!(warned, well());
        assert_eq!(spoilt.overall, Overall::Degraded);
        assert_eq!(spoilt.headline, Headline::Attention { problems: 1 });
        assert_eq!(spoilt.answering(), Some("A"));
        assert_eq!(out.clone().with_problems(&[locked]), out);
    }

    #[test]
    fn without_an_engine_it_starts_or_is_out() {
        let busy = Problem::new(ProblemKind::Port, "busy", "");

        let starting = OverallStatus::without_engine(&[]);
        let stopped = OverallStatus::without_engine(&[busy]);

        assert_eq!(starting.overall, Overall::Starting);
        assert_eq!(
            (stopped.overall, stopped.headline),
            (Overall::Out, Headline::Stopped)
        );
    }
}
