//! What an outcome is about.

/// What an outcome is about. A mark is set on this only, and it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The endpoint as a whole.
    Endpoint,
    /// Its credential, or the account behind it.
    Account,
    /// The requested model at the endpoint.
    Model,
    /// A family of models at the endpoint.
    Family(Family),
    /// Requests that are at least as large, at the endpoint.
    Size,
    /// Clients of this kind, at the endpoint.
    ClientKind,
    /// This conversation, at the endpoint. Its content is the reason, not the state of the endpoint.
    Conversation,
    /// The client's own login at the endpoint.
    Login,
    /// Thinking blocks that another endpoint signed.
    Signature,
    /// This one request, at the endpoint. No mark is set.
    Request,
    /// The client, which made a mistake.
    Client,
}

impl Subject {
    /// The name in labels.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Account => "account",
            Self::Model => "model",
            Self::Family(_) => "family",
            Self::Size => "size",
            Self::ClientKind => "client_kind",
            Self::Conversation => "conversation",
            Self::Login => "login",
            Self::Signature => "signature",
            Self::Request => "request",
            Self::Client => "client",
        }
    }
}

/// A family of models: all models with this word in their name, such as `opus`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Family(Box<str>);

/// The families for which an account has limits of their own.
const FAMILIES: [&str; 5] = ["opus", "sonnet", "haiku", "fable", "mythos"];

impl Family {
    /// The family at the end of a limit's name, such as `seven_day_opus`.
    pub fn named_in(limit: &str) -> Option<Self> {
        let words = limit.split(|char: char| !char.is_ascii_alphanumeric());
        let family = words.rev().find(|word| {
            FAMILIES
                .iter()
                .any(|family| family.eq_ignore_ascii_case(word))
        })?;
        Some(Self(family.to_ascii_lowercase().into()))
    }

    /// Whether a model is of this family.
    pub fn has(&self, model: &str) -> bool {
        let mut words = model.split(|char: char| !char.is_ascii_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case(&self.0))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The kind of client that sent a request, as far as relays treat them differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// Claude Code.
    ClaudeCode,
    /// Any other.
    #[default]
    Other,
}

impl ClientKind {
    /// From the `user-agent` header.
    pub fn of(user_agent: Option<&str>) -> Self {
        match user_agent {
            Some(agent)
                if agent.starts_with("claude-cli/") || agent.starts_with("claude-code/") =>
            {
                Self::ClaudeCode
            }
            Some(_) | None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_known_by_its_word() {
        let opus = Family::named_in("seven_day_opus").unwrap();

        assert!(opus.has("claude-opus-5-5") && opus.has("anthropic.claude-4-Opus"));
        assert!(!opus.has("claude-haiku-4-5") && !opus.has("octopus"));
        assert_eq!(
            Family::named_in("7d_sonnet").map(|it| it.0),
            Some("sonnet".into())
        );
        assert_eq!(Family::named_in("five_hour"), None);
    }
}
