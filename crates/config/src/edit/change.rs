//! A change of the configuration file that a form asks for: the text with it, and the complaints about
//! that text. The reader of the file judges it.

use zephyr_control::{Command, Complaint, EndpointForm, Redacted, SettingValue};

use super::complaints::{self, Form};
use super::document::{self, Rewritten};
use super::refusal::NotChanged;
use super::setting;
use crate::loaded::{Loaded, fingerprint};
use crate::problem::Problems;
use crate::read::parse;

#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Add(Box<EndpointForm>),
    /// Makes the endpoint of that name what the form says.
    Edit(String, Box<EndpointForm>),
    /// Moves the endpoint of that name, so that this many others come before it.
    Move(String, u32),
    /// Removes the endpoint of that name.
    Remove(String),
    /// Gives the key that value. `None` takes the key out.
    Set(String, Option<SettingValue>),
}

impl Change {
    /// The change that the command asks for, if it asks for one.
    pub fn of(command: &Command) -> Option<Self> {
        match command.clone() {
            Command::AddEndpoint { endpoint } => Some(Self::Add(endpoint)),
            Command::EditEndpoint { name, endpoint } => Some(Self::Edit(name, endpoint)),
            Command::MoveEndpoint { name, to } => Some(Self::Move(name, to)),
            Command::RemoveEndpoint { name } => Some(Self::Remove(name)),
            Command::Set { key, value } => Some(Self::Set(key, value)),
            Command::Use { .. }
            | Command::Auto
            | Command::Pause
            | Command::Resume
            | Command::Refresh
            | Command::Enable { .. }
            | Command::Disable { .. }
            | Command::Reinstate { .. }
            | Command::Reload
            | Command::StoreToken { .. }
            | Command::ConnectClaudeCode
            | Command::DisconnectClaudeCode
            | Command::LaunchAtLogin { .. }
            | Command::Show
            | Command::Quit => None,
        }
    }

    /// The text with the change, judged by the reader.
    ///
    /// # Errors
    ///
    /// The change cannot be made in this text.
    pub fn applied(&self, text: &str) -> Result<Changed, NotChanged> {
        let rewritten = match self {
            Self::Add(form) => document::add(text, form),
            Self::Edit(name, form) => document::edit(text, name, form),
            Self::Move(name, to) => {
                document::relocate(text, name, usize::try_from(*to).unwrap_or(usize::MAX))
            }
            Self::Remove(name) => document::remove(text, name),
            Self::Set(key, value) => {
                setting::set(text, key, value.as_ref())?.map(|text| Rewritten { text, at: None })
            }
        };
        let Rewritten { text: after, at } = rewritten.map_err(|why| NotChanged::of(why, text))?;
        let form = match self {
            Self::Set(key, _) => Form::Key(key),
            Self::Add(_) | Self::Edit(..) | Self::Move(..) | Self::Remove(_) => {
                at.map_or(Form::None, Form::Endpoint)
            }
        };
        let before = match parse(text) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems.into_iter().collect(),
        };
        Ok(match parse(&after) {
            Ok(loaded) => Changed {
                complaints: complaints::warnings(&loaded.warnings, &before, form),
                outcome: Ok(Outcome {
                    text: after,
                    loaded,
                }),
            },
            Err(problems) => Changed {
                complaints: complaints::errors(&problems, &before, form),
                outcome: Err(problems),
            },
        })
    }

    /// The reason why the change cannot be made, as a form shows it.
    pub fn complaint(&self, why: &NotChanged) -> Complaint {
        let field = match self {
            Self::Set(key, _) => Some(key.clone()),
            Self::Edit(..) | Self::Move(..) | Self::Remove(_) => Some("name".to_owned()),
            Self::Add(_) => None,
        };
        Complaint {
            field: field.filter(|_| !matches!(why, NotChanged::Unwritable(_))),
            message: Redacted::by_shape(&why.to_string()),
            is_warning: false,
        }
    }
}

/// The reader's judgement of a changed text.
pub struct Changed {
    /// Errors if the reader refuses the text, otherwise warnings.
    pub complaints: Vec<Complaint>,
    pub outcome: Result<Outcome, Problems>,
}

impl Changed {
    /// Goes back to a text that was in force before.
    ///
    /// # Errors
    ///
    /// The reader refuses it now.
    pub fn back_to(text: String) -> Result<Self, NotChanged> {
        let loaded =
            parse(&text).map_err(|problems| NotChanged::Unwritable(problems.to_string()))?;
        Ok(Self {
            complaints: Vec::new(),
            outcome: Ok(Outcome { text, loaded }),
        })
    }
}

/// A valid text.
#[derive(Debug)]
pub struct Outcome {
    pub text: String,
    pub loaded: Loaded,
}

impl Outcome {
    /// A number that differs between texts.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use zephyr_control::TokenReference;

    use super::*;
    use crate::form;

    const FILE: &str = "[server]\nport = 8080 # ours\n\n[[groups]]\nname = \"main\"\nauth_token_env = \"MAIN\"\n\
                        endpoints = [\n  { name = \"a\", url = \"https://a.example.com\" },\n  \
                        { name = \"b\", url = \"https://b.example.com\" },\n]\n";

    fn endpoint(name: &str, url: &str) -> EndpointForm {
        EndpointForm {
            name: name.to_owned(),
            url: url.to_owned(),
            ..form::blank("main")
        }
    }

    fn complaints(change: &Change) -> Vec<(Option<String>, bool)> {
        let changed = change.applied(FILE).unwrap();
        let complaints = changed.complaints.into_iter();
        complaints.map(|one| (one.field, one.is_warning)).collect()
    }

    fn set(key: &str, value: SettingValue) -> Change {
        Change::Set(key.to_owned(), Some(value))
    }

    fn number(number: f64) -> SettingValue {
        SettingValue::Number(number)
    }

    #[test]
    fn a_change_that_is_fine_gives_no_complaint_and_what_to_write() {
        let change = Change::Add(Box::new(endpoint("c", "https://c.example.com")));

        let changed = change.applied(FILE).unwrap();

        assert_eq!(changed.complaints, []);
        assert!(
            changed
                .outcome
                .unwrap()
                .loaded
                .config
                .endpoint("c")
                .is_some()
        );
    }

    #[test]
    fn what_is_wrong_with_an_endpoint_is_told_by_the_forms_field() {
        let good = || endpoint("c", "https://c.example.com");
        let token = |name: &str| TokenReference::Env(name.to_owned());
        let cases = [
            ("name", endpoint("a", "https://c.example.com")),
            ("name", endpoint("", "https://c.example.com")),
            ("url", endpoint("c", "c.example.com")),
            ("url", endpoint("c", "http://127.0.0.1:8080")),
            (
                "weight",
                EndpointForm {
                    weight: 0,
                    ..good()
                },
            ),
            (
                "price",
                EndpointForm {
                    price: f64::NAN,
                    ..good()
                },
            ),
            (
                "proxy",
                EndpointForm {
                    proxy: Some("ftp://x".to_owned()),
                    ..good()
                },
            ),
            (
                "path_prefix",
                EndpointForm {
                    path_prefix: Some("/a?b".to_owned()),
                    ..good()
                },
            ),
            (
                "token",
                EndpointForm {
                    token: token("not a name"),
                    ..good()
                },
            ),
            (
                "token",
                EndpointForm {
                    group: "new".to_owned(),
                    ..good()
                },
            ),
            (
                "group",
                EndpointForm {
                    group: String::new(),
                    token: token("T"),
                    ..good()
                },
            ),
        ];

        for (field, form) in cases {
            let found = complaints(&Change::Add(Box::new(form.clone())));
            assert_eq!(found, [(Some(field.to_owned()), false)], "{form:?}");
        }
    }

    #[test]
    fn a_warning_does_not_stand_in_the_way_and_is_told_once() {
        let odd = endpoint("c", "https://c.example.com/v1");
        let change = Change::Add(Box::new(odd));

        let changed = change.applied(FILE).unwrap();
        let with_it = changed.outcome.unwrap().text;
        let later = set("ui.theme", SettingValue::Text("dark".to_owned()));

        assert_eq!(complaints(&change), [(Some("url".to_owned()), true)]);
        assert_eq!(later.applied(&with_it).unwrap().complaints, []);
    }

    #[test]
    fn a_setting_is_written_as_its_kind_is() {
        let cases = [
            ("server.port", number(9090.0), "port = 9090 # ours\n"),
            (
                "health_check.daily_budget_usd",
                number(2.0),
                "daily_budget_usd = 2.0\n",
            ),
            (
                "failover.enabled",
                SettingValue::Switch(false),
                "enabled = false\n",
            ),
            ("failover.max_attempts", number(3.0), "max_attempts = 3\n"),
            (
                "failover.max_attempts",
                SettingValue::Text("all".to_owned()),
                "max_attempts = \"all\"\n",
            ),
            (
                "failover.hedge",
                SettingValue::Text("off".to_owned()),
                "hedge = \"off\"\n",
            ),
            ("failover.hedge", number(2.5), "hedge = 2.5\n"),
            ("routing.second_usd", number(0.0), "second_usd = 0.0\n"),
            (
                "ui.theme",
                SettingValue::Text("dark".to_owned()),
                "theme = \"dark\"\n",
            ),
            (
                "server.allowed_hosts",
                SettingValue::List(vec!["a.lan".to_owned(), "b.lan".to_owned()]),
                "allowed_hosts = [\"a.lan\", \"b.lan\"]\n",
            ),
        ];

        for (key, value, line) in cases {
            let outcome = set(key, value.clone())
                .applied(FILE)
                .unwrap()
                .outcome
                .unwrap();

            assert!(outcome.text.contains(line), "{}", outcome.text);
            let shown = form::configuration(&outcome.text).unwrap().settings;
            let setting = shown
                .into_iter()
                .find(|setting| setting.key == key)
                .unwrap();
            assert_eq!(setting.value, Some(value));
        }
    }

    #[test]
    fn a_setting_that_is_taken_out_has_its_default_again() {
        let change = Change::Set("server.port".to_owned(), None);

        let outcome = change.applied(FILE).unwrap().outcome.unwrap();

        assert_eq!(outcome.text, FILE.replace("port = 8080 # ours", "# ours"));
    }

    #[test]
    fn a_value_that_no_file_could_say_is_refused() {
        for (key, value) in [
            ("server.port", number(80.5)),
            ("server.port", number(-1.0)),
            ("server.port", number(f64::NAN)),
            ("server.port", SettingValue::Text("8080".to_owned())),
            ("ui.theme", SettingValue::Text("blue".to_owned())),
            ("failover.enabled", number(1.0)),
            ("failover.max_attempts", number(0.0)),
            ("failover.max_attempts", number(2.5)),
            ("failover.max_attempts", SettingValue::Text("3".to_owned())),
            ("failover.max_attempts", SettingValue::Switch(true)),
            ("failover.hedge", number(0.0)),
            ("failover.hedge", number(f64::INFINITY)),
            ("failover.hedge", SettingValue::Text("on".to_owned())),
            ("failover.patience", SettingValue::Text("off".to_owned())),
            ("routing.second_usd", number(-0.01)),
            ("routing.second_usd", number(100.5)),
            ("server.allowed_hosts", SettingValue::Text("a".to_owned())),
        ] {
            let refused = set(key, value.clone()).applied(FILE).err();
            assert!(
                matches!(refused, Some(NotChanged::OtherKind(_))),
                "{key} {value:?}"
            );
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_answered_with_what_the_key_takes() {
        let takes = |key, value| set(key, value).applied(FILE).err().unwrap().to_string();
        let every = SettingValue::Text("every".to_owned());

        assert_eq!(
            takes("failover.max_attempts", every),
            "takes all, or a whole number from 1 to 100"
        );
        assert_eq!(
            takes("failover.hedge", number(0.0)),
            "takes auto, off, or a number from 0.001 to 86400"
        );
        assert_eq!(
            takes("server.port", number(-1.0)),
            "takes a whole number from 0 to 65535"
        );
    }

    #[test]
    fn a_word_and_a_number_replace_each_other_in_place() {
        let text = format!("{FILE}\n[failover]\nhedge = \"auto\" # ours\n");
        let after = |text: &str, value| {
            let changed = set("failover.hedge", value).applied(text).unwrap();
            changed.outcome.unwrap().text
        };

        let with_number = after(&text, number(8.0));
        let with_word = after(&with_number, SettingValue::Text("off".to_owned()));

        assert_eq!(with_number, text.replace("\"auto\"", "8.0"));
        assert_eq!(with_word, text.replace("auto", "off"));
    }

    #[test]
    fn what_the_reader_refuses_is_told_by_its_key() {
        let open_door = set("server.host", SettingValue::Text("0.0.0.0".to_owned()));
        let too_long = set("health_check.min_interval_seconds", number(100.0));
        let scaling = "[health_check]\ndynamic_scaling = true\n";

        let refused = too_long.applied(scaling).unwrap();

        assert_eq!(
            complaints(&open_door),
            [(Some("server.host".to_owned()), false)]
        );
        let field = refused.complaints[0].field.as_deref();
        assert_eq!(field, Some("health_check.min_interval_seconds"));
        assert!(refused.outcome.is_err());
    }

    #[test]
    fn an_unknown_key_names_the_one_that_is_meant() {
        let misspelt = set("server.prot", number(1.0)).applied(FILE).err();
        let models = set("pricing.x", number(1.0)).applied(FILE).err();

        assert_eq!(misspelt, Some(NotChanged::UnknownKey(Some("server.port"))));
        assert_eq!(models, Some(NotChanged::UnknownKey(None)));
    }

    #[test]
    fn an_error_elsewhere_in_the_file_stands_in_the_way_and_can_be_set_right() {
        let text = format!("[breaker]\nmax_failures = 0\n{FILE}");
        let add = Change::Add(Box::new(endpoint("c", "https://c.example.com")));

        let refused = add.applied(&text).unwrap();
        let corrected = set("breaker.max_failures", number(2.0))
            .applied(&text)
            .unwrap();

        assert_eq!(
            refused.complaints[0].field.as_deref(),
            Some("breaker.max_failures")
        );
        let message = &refused.complaints[0].message;
        assert!(message.starts_with("line 2: "), "{message}");
        assert!(refused.outcome.is_err());
        assert!(corrected.outcome.is_ok());
    }

    #[test]
    fn a_secret_in_the_place_of_a_name_is_refused_and_not_repeated() {
        let secret = "sk-ant-api03-0123456789abcdef";
        let form = EndpointForm {
            token: TokenReference::Keychain(secret.to_owned()),
            ..endpoint("c", "https://c.example.com")
        };

        let changed = Change::Add(Box::new(form)).applied(FILE).unwrap();

        assert!(changed.outcome.is_err());
        assert_eq!(changed.complaints[0].field.as_deref(), Some("token"));
        assert!(!format!("{:?}", changed.complaints).contains("api03"));
    }
}
