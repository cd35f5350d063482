//! The class of every command and test.

use super::class::{Class, Danger};
use super::flow::{Flow, Source};
use super::setting::class_of_key;
use crate::command::Command;
use crate::form::{Configuration, EndpointForm, Tested};

/// What the class of a command depends on, besides the command.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The configuration before the command.
    pub configuration: Option<Configuration>,
    /// Credentials that the asker itself has stored, where there was none.
    pub own: Vec<Source>,
    /// Where credentials went before the asker itself removed an endpoint.
    pub former: Vec<Flow>,
    /// Whether the keychain entry that the command stores has no token yet.
    pub entry_is_new: bool,
}

/// Whether the configuration is needed to tell the class of the command, or to say what it would change.
pub fn needs_configuration(command: &Command) -> bool {
    match command {
        Command::AddEndpoint { .. }
        | Command::EditEndpoint { .. }
        | Command::RemoveEndpoint { .. }
        | Command::StoreToken { .. } => true,
        // Only to say what it is now.
        Command::Set { key, value } => {
            matches!(class_of_key(key, value.as_ref()), Class::Dangerous(_))
        }
        Command::Use { .. }
        | Command::Auto
        | Command::Pause
        | Command::Resume
        | Command::Refresh
        | Command::Enable { .. }
        | Command::Disable { .. }
        | Command::Reinstate { .. }
        | Command::Reload
        | Command::MoveEndpoint { .. }
        | Command::ConnectClaudeCode
        | Command::DisconnectClaudeCode
        | Command::LaunchAtLogin { .. }
        | Command::Show
        | Command::Quit => false,
    }
}

impl Known {
    /// The class of a command.
    pub fn class_of(&self, command: &Command) -> Class {
        match command {
            Command::Use { .. }
            | Command::Auto
            | Command::Pause
            | Command::Resume
            | Command::Refresh
            | Command::Enable { .. }
            | Command::Disable { .. }
            | Command::Reinstate { .. }
            | Command::Reload
            | Command::Show
            | Command::Quit => Class::Steer,
            // Claude Code is pointed at this program and at nothing else, and this program started at login.
            Command::ConnectClaudeCode
            | Command::DisconnectClaudeCode
            | Command::LaunchAtLogin { .. }
            | Command::MoveEndpoint { .. }
            | Command::RemoveEndpoint { .. } => Class::Change,
            Command::AddEndpoint { endpoint } | Command::EditEndpoint { endpoint, .. } => {
                self.class_of_form(endpoint)
            }
            Command::Set { key, value } => class_of_key(key, value.as_ref()),
            Command::StoreToken { reference, .. } => {
                let own = Source::Entry {
                    name: reference.clone(),
                };
                let is_theirs = self.entry_is_new || self.own.contains(&own);
                if is_theirs && !self.is_client_token(reference) {
                    Class::Change
                } else {
                    Class::Dangerous(Danger::MovesCredentials)
                }
            }
        }
    }

    /// The class of a test.
    pub fn class_of_test(&self, tested: &Tested) -> Class {
        match tested {
            // The token goes where requests take it.
            Tested::Configured { .. } | Tested::Draft { token: Some(_), .. } => Class::Steer,
            Tested::Draft {
                endpoint,
                token: None,
            } => match self.class_of_form(endpoint) {
                Class::Look | Class::Steer | Class::Change => Class::Steer,
                Class::Dangerous(danger) => Class::Dangerous(danger),
            },
        }
    }

    fn class_of_form(&self, form: &EndpointForm) -> Class {
        let Some(configuration) = &self.configuration else {
            return Class::Dangerous(Danger::MovesCredentials);
        };
        let mut known = Flow::all(configuration);
        known.extend_from_slice(&self.former);
        let is_fine = |flow: &Flow| {
            flow.is_among(&known) || (flow.proxy.is_none() && self.own.contains(&flow.source))
        };
        if Flow::of(form, &configuration.groups).iter().all(is_fine) {
            Class::Change
        } else {
            Class::Dangerous(Danger::MovesCredentials)
        }
    }

    /// Whether the entry decides who may use the proxy.
    fn is_client_token(&self, reference: &str) -> bool {
        let Some(configuration) = &self.configuration else {
            return true;
        };
        let said = configuration.setting("server.client_token_keychain");
        said.is_some_and(|name| name.trim() == reference.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::form;
    use crate::form::{
        AuthType, GroupForm, SecretText, Setting, SettingKind, SettingValue, TokenReference,
    };

    const MOVES: Class = Class::Dangerous(Danger::MovesCredentials);

    fn known() -> Known {
        Known {
            configuration: Some(Configuration {
                path: None,
                groups: vec![GroupForm {
                    name: "main".to_owned(),
                    default: true,
                    auth_type: AuthType::AuthToken,
                    token: TokenReference::Env("MAIN".to_owned()),
                }],
                endpoints: vec![form("a", "main")],
                settings: vec![Setting {
                    key: "server.client_token_keychain".to_owned(),
                    kind: SettingKind::Text,
                    default: SettingValue::Text(String::new()),
                    value: Some(SettingValue::Text("clients".to_owned())),
                    needs_restart: false,
                }],
            }),
            ..Known::default()
        }
    }

    fn entry(name: &str) -> Source {
        Source::Entry {
            name: name.to_owned(),
        }
    }

    fn elsewhere(token: TokenReference) -> EndpointForm {
        EndpointForm {
            url: "https://evil.example.com".to_owned(),
            token,
            ..form("b", "main")
        }
    }

    fn add(form: EndpointForm) -> Command {
        Command::AddEndpoint {
            endpoint: Box::new(form),
        }
    }

    fn edit(form: EndpointForm) -> Command {
        Command::EditEndpoint {
            name: "a".to_owned(),
            endpoint: Box::new(form),
        }
    }

    #[test]
    fn an_endpoint_that_takes_an_older_credential_elsewhere_is_dangerous() {
        let known = known();
        let keychain = TokenReference::Keychain("main".to_owned());
        let passes = EndpointForm {
            auth_type: Some(AuthType::Passthrough),
            ..elsewhere(TokenReference::None)
        };

        for form in [
            elsewhere(TokenReference::None),
            elsewhere(TokenReference::Env("HOME".to_owned())),
            elsewhere(keychain),
            EndpointForm {
                group: "new".to_owned(),
                ..elsewhere(TokenReference::None)
            },
            passes,
        ] {
            assert_eq!(known.class_of(&add(form.clone())), MOVES, "{form:?}");
            assert_eq!(known.class_of(&edit(form.clone())), MOVES, "{form:?}");
            let tested = Tested::Draft {
                endpoint: form,
                token: None,
            };
            assert_eq!(known.class_of_test(&tested), MOVES);
        }
    }

    #[test]
    fn a_change_of_an_endpoint_that_takes_no_credential_elsewhere_is_none() {
        let renamed = EndpointForm {
            name: "b".to_owned(),
            priority: 7,
            ..form("a", "main")
        };

        assert_eq!(known().class_of(&edit(renamed)), Class::Change);
        assert_eq!(known().class_of(&edit(form("a", "main"))), Class::Change);
    }

    #[test]
    fn a_first_run_stores_a_new_token_and_adds_an_endpoint_with_it() {
        let own = Known {
            own: vec![entry("fresh")],
            ..known()
        };
        let endpoint = elsewhere(TokenReference::Keychain("fresh".to_owned()));
        let by_proxy = EndpointForm {
            proxy: Some("http://evil.example.com".to_owned()),
            ..endpoint.clone()
        };

        assert_eq!(own.class_of(&add(endpoint.clone())), Class::Change);
        assert_eq!(known().class_of(&add(endpoint)), MOVES);
        assert_eq!(own.class_of(&add(by_proxy)), MOVES);
    }

    #[test]
    fn what_was_removed_may_come_back() {
        let mut known = known();
        let configuration = known.configuration.as_mut().unwrap();
        let gone = configuration.endpoints.remove(0);
        let groups = configuration.groups.clone();

        assert_eq!(known.class_of(&add(gone.clone())), MOVES);
        known.former = Flow::of(&gone, &groups);
        assert_eq!(known.class_of(&add(gone)), Class::Change);
    }

    #[test]
    fn a_token_takes_the_place_of_none_or_is_dangerous() {
        let store = |reference: &str| Command::StoreToken {
            reference: reference.to_owned(),
            token: SecretText::new("t"),
        };
        let fresh = Known {
            entry_is_new: true,
            ..known()
        };

        let own = Known {
            own: vec![entry("typed wrong")],
            ..known()
        };

        assert_eq!(fresh.class_of(&store("new")), Class::Change);
        assert_eq!(own.class_of(&store("typed wrong")), Class::Change);
        assert_eq!(known().class_of(&store("old")), MOVES);
        assert_eq!(fresh.class_of(&store(" clients ")), MOVES);
    }

    #[test]
    fn a_test_with_a_token_of_its_own_sends_no_other() {
        let with = |token| Tested::Draft {
            endpoint: elsewhere(TokenReference::None),
            token,
        };

        let own = known().class_of_test(&with(Some(SecretText::new("t"))));

        assert_eq!(own, Class::Steer);
        assert_eq!(known().class_of_test(&with(None)), MOVES);
    }

    #[test]
    fn without_the_configuration_nobody_knows_where_a_credential_goes() {
        let known = Known::default();

        assert_eq!(known.class_of(&edit(form("a", "main"))), MOVES);
    }
}
