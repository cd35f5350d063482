//! Events that are worth an interruption, and their words.

use serde::Serialize;
use zephyr_control::privilege::Effect;
use zephyr_control::{Decision, EventKind, Headline, Language, OverallStatus, Reason, text};
use zephyr_core::config::Notifications;

/// An event that is worth an interruption.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum News {
    /// An action that was clicked has failed.
    Complaint(String),
    /// A browser asks for something that it may not do by itself.
    Question {
        number: u32,
        effect: Effect,
    },
    Offline,
    AllDown,
    Refused {
        endpoint: String,
        why: Reason,
    },
    Online,
    Recovered,
    Switched {
        from: String,
        to: String,
        decision: Decision,
    },
    /// Checks have cost so many dollars.
    BudgetReached(f64),
}

impl News {
    pub(super) fn of(event: &EventKind) -> Option<Self> {
        match event {
            EventKind::Switched { from, to, decision } => Some(Self::Switched {
                from: from.clone(),
                to: to.clone(),
                decision: decision.clone(),
            }),
            EventKind::TakenOut { endpoint, why, .. } if needs_a_person(why) => {
                Some(Self::Refused {
                    endpoint: endpoint.clone(),
                    why: why.clone(),
                })
            }
            EventKind::AllDown => Some(Self::AllDown),
            EventKind::SomethingUp => Some(Self::Recovered),
            EventKind::Offline => Some(Self::Offline),
            EventKind::Online => Some(Self::Online),
            EventKind::BudgetReached { budget_usd } => Some(Self::BudgetReached(*budget_usd)),
            EventKind::Chosen { .. }
            | EventKind::FailedOver { .. }
            | EventKind::Moved { .. }
            | EventKind::Aborted { .. }
            | EventKind::PassedOn { .. }
            | EventKind::TakenOut { .. }
            | EventKind::Recovered { .. }
            | EventKind::Pinned { .. }
            | EventKind::Automatic
            | EventKind::Paused
            | EventKind::Resumed
            | EventKind::Enabled { .. }
            | EventKind::Disabled { .. }
            | EventKind::ConfigReloaded
            | EventKind::ConfigRejected => None,
        }
    }

    pub(super) fn is_wanted(&self, choices: &Notifications) -> bool {
        match self {
            Self::Switched { .. } => choices.on_switch,
            Self::AllDown => choices.on_all_down,
            Self::Recovered => choices.on_recovery,
            Self::Offline | Self::Online => choices.on_offline,
            Self::Refused { .. } => choices.on_refused,
            Self::BudgetReached(_) => choices.on_budget,
            Self::Complaint(_) | Self::Question { .. } => true,
        }
    }

    pub(super) fn is_refusal_of(&self, name: &str) -> bool {
        match self {
            Self::Refused { endpoint, .. } => endpoint == name,
            Self::Complaint(_)
            | Self::Question { .. }
            | Self::Offline
            | Self::AllDown
            | Self::Online
            | Self::Recovered
            | Self::BudgetReached(_)
            | Self::Switched { .. } => false,
        }
    }

    /// The most important news becomes the summary.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Complaint(_) | Self::Question { .. } => 0,
            Self::Offline => 1,
            Self::AllDown => 2,
            Self::Online => 3,
            Self::Recovered => 4,
            Self::Refused { .. } => 5,
            Self::Switched { .. } => 6,
            Self::BudgetReached(_) => 7,
        }
    }

    /// `status`: how things are as a whole.
    pub(super) fn summary(&self, status: &OverallStatus, language: Language) -> String {
        let phrase = match self {
            Self::Switched { to, .. } => Phrase::Switched { endpoint: to },
            Self::Refused { endpoint, .. } => Phrase::Refused { endpoint },
            Self::AllDown | Self::Offline => Phrase::of(status, language),
            Self::Recovered => Phrase::Recovered,
            Self::Online => Phrase::Online,
            Self::Complaint(_) => Phrase::Complaint,
            Self::Question { number, .. } => Phrase::Confirm { number: *number },
            Self::BudgetReached(_) => Phrase::BudgetReached,
        };
        text(language, &phrase)
    }

    /// `status`: how things are as a whole.
    pub(super) fn lines(&self, status: &OverallStatus, language: Language) -> Vec<String> {
        match self {
            Self::Switched { from, to, decision } => {
                let event = EventKind::Switched {
                    from: from.clone(),
                    to: to.clone(),
                    decision: decision.clone(),
                };
                let mut lines = vec![text(language, &event)];
                lines.extend(why_it_was_left(from, decision, language));
                lines
            }
            Self::Refused { endpoint, why } => {
                vec![text(language, &Phrase::Out { endpoint, why })]
            }
            Self::Complaint(complaint) => vec![complaint.clone()],
            Self::Question { number, effect } => {
                let how = Phrase::ConfirmHow { number: *number };
                vec![text(language, effect), text(language, &how)]
            }
            Self::AllDown => vec![text(language, &Phrase::Down)],
            Self::Recovered | Self::Online => vec![text(language, &Phrase::of(status, language))],
            Self::Offline => vec![text(language, &EventKind::Offline)],
            Self::BudgetReached(budget_usd) => {
                let budget_usd = *budget_usd;
                vec![text(language, &EventKind::BudgetReached { budget_usd })]
            }
        }
    }
}

/// The words of notifications. Their keys in the catalogues begin with `notice.`.
#[derive(Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub(super) enum Phrase<'a> {
    Switched {
        endpoint: &'a str,
    },
    /// How things are as a whole.
    Status {
        overall: String,
        line: &'a Headline,
    },
    Recovered,
    Online,
    Complaint,
    Confirm {
        number: u32,
    },
    ConfirmHow {
        number: u32,
    },
    BudgetReached,
    Refused {
        endpoint: &'a str,
    },
    Out {
        endpoint: &'a str,
        why: &'a Reason,
    },
    Sessions,
    Down,
}

impl<'a> Phrase<'a> {
    fn of(status: &'a OverallStatus, language: Language) -> Self {
        Self::Status {
            overall: text(language, &status.overall),
            line: &status.headline,
        }
    }
}

/// What happened to the endpoint that was left, if the decision itself only says that it is not usable.
fn why_it_was_left(from: &str, decision: &Decision, language: Language) -> Option<String> {
    let left = decision
        .others
        .iter()
        .find(|other| other.endpoint == from)?;
    (decision.why == Reason::Replaces).then(|| {
        let why = &left.why;
        text(
            language,
            &Phrase::Out {
                endpoint: from,
                why,
            },
        )
    })
}

/// Whether an endpoint stays out until a person does something about it.
fn needs_a_person(why: &Reason) -> bool {
    matches!(
        why,
        Reason::CredentialRefused { .. }
            | Reason::KeychainTokenRefused { .. }
            | Reason::VariableTokenRefused { .. }
            | Reason::QuotaUsedUp { .. }
    )
}
