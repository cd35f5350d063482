//! The configuration as forms show it, and a step-by-step test of an endpoint.

use std::fmt;

use serde::{Deserialize, Serialize};
use zephyr_redact::Redacted;

/// What the configuration file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Configuration {
    /// The file; `None`: there is none, and nothing can be saved.
    pub path: Option<String>,
    /// The groups, in the file's order.
    pub groups: Vec<GroupForm>,
    /// Every endpoint, in the file's order.
    pub endpoints: Vec<EndpointForm>,
    /// Every other key, in the order of `config.toml.example`.
    pub settings: Vec<Setting>,
}

impl Configuration {
    /// What the file says about this key, as text. `None`: nothing.
    pub fn setting(&self, key: &str) -> Option<String> {
        let setting = self.settings.iter().find(|setting| setting.key == key)?;
        setting.value.as_ref().map(SettingValue::to_string)
    }
}

/// A group of endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GroupForm {
    /// Its name.
    pub name: String,
    /// Whether its first endpoint is preferred until something has been measured.
    pub default: bool,
    /// How its endpoints are authorized.
    pub auth_type: AuthType,
    /// Where its token is.
    pub token: TokenReference,
}

/// How requests to an endpoint are authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// `Authorization: Bearer`.
    #[default]
    AuthToken,
    /// `x-api-key`.
    ApiKey,
    /// The client's own.
    Passthrough,
}

/// Where a token is; never the token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum TokenReference {
    /// Nowhere; an endpoint then uses its group's.
    #[default]
    None,
    /// In this environment variable.
    Env(String),
    /// In the OS keychain, under this name.
    Keychain(String),
}

/// An endpoint, as a form has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EndpointForm {
    /// Its name; unique.
    pub name: String,
    /// Its group, which is created if there is none of that name.
    pub group: String,
    /// Its base URL.
    pub url: String,
    /// An emoji beside its name.
    pub flag: Option<String>,
    /// Whether requests go there.
    pub enabled: bool,
    /// Smaller is preferred.
    pub priority: u32,
    /// Its share of requests where they are distributed.
    pub weight: u32,
    /// Relative price.
    pub price: f64,
    /// Put before the client's path.
    pub path_prefix: Option<String>,
    /// `None`: as its group.
    pub auth_type: Option<AuthType>,
    /// [`TokenReference::None`]: as its group.
    pub token: TokenReference,
    /// `system`, `direct` or a proxy's URL; `None`: the default.
    pub proxy: Option<String>,
}

/// A key of the configuration file outside groups and endpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Setting {
    /// `server.port`. What it means is the message `settings.server.port`.
    pub key: String,
    /// What values it takes.
    pub kind: SettingKind,
    /// Its value when the file does not set it.
    pub default: SettingValue,
    /// What the file says; `None`: nothing.
    pub value: Option<SettingValue>,
    /// Whether a change takes effect only after a restart.
    pub needs_restart: bool,
}

/// What values a setting takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SettingKind {
    /// Yes or no.
    Switch,
    /// A number.
    Number {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
        /// Whether only whole numbers are taken.
        whole: bool,
    },
    /// One of these.
    Choice {
        /// As the file says them.
        options: Vec<String>,
    },
    /// One of these, or a number.
    ChoiceOrNumber {
        /// The words, as the file says them.
        options: Vec<String>,
        /// Least number.
        min: f64,
        /// Most.
        max: f64,
        /// Whether only whole numbers are taken.
        whole: bool,
    },
    /// Text.
    Text,
    /// Several texts.
    List,
}

/// A setting's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum SettingValue {
    /// Of a switch.
    Switch(bool),
    /// Of a number.
    Number(f64),
    /// Of a text or a choice.
    Text(String),
    /// Of a list.
    List(Vec<String>),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => write!(f, "{on}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

/// Something that a form says is wrong, or worth a warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Complaint {
    /// The key or the form's field it is about.
    pub field: Option<String>,
    /// What is wrong and what to do, in English.
    #[cfg_attr(test, ts(type = "string"))]
    pub message: Redacted,
    /// Whether the change is carried out anyway.
    pub is_warning: bool,
}

/// A token on its way into the keychain.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SecretText(String);

impl SecretText {
    /// This token.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself, for the keychain and for the request that tests it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// What is to be tested, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Tested {
    /// An endpoint of the configuration.
    Configured {
        /// Its name.
        endpoint: String,
    },
    /// One that is not saved yet.
    Draft {
        /// The form.
        endpoint: EndpointForm,
        /// Its token, if it is not where the form says.
        token: Option<SecretText>,
    },
}

/// What a step-by-step test found: steps in order, up to the first that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Diagnosis {
    /// The steps taken.
    pub steps: Vec<DiagnosisStep>,
    /// What the test cost.
    pub cost_usd: f64,
}

/// One step of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DiagnosisStep {
    /// Which.
    pub stage: DiagnosisStage,
    /// Whether it succeeded.
    pub passed: bool,
    /// How long it took.
    pub took_ms: f64,
    /// What was found: addresses, the certificate's issuer, the model; or what went wrong.
    #[cfg_attr(test, ts(type = "string"))]
    pub detail: Redacted,
    /// What to do, if it failed.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub remedy: Option<Redacted>,
}

/// The steps of a test, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum DiagnosisStage {
    /// The host's name has an address.
    Dns,
    /// A connection can be made.
    Tcp,
    /// Its certificate is trusted.
    Tls,
    /// The token is accepted.
    Auth,
    /// The model is served.
    Model,
    /// An answer begins.
    FirstToken,
}
