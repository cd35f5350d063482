//! The class of every key of the configuration file outside groups and endpoints.

use super::class::{Class, Danger};
use crate::form::SettingValue;

/// When a change of a key is dangerous.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Never.
    Change,
    /// Whatever the value is.
    Always(Danger),
    /// If the value is this word.
    Word(Danger, &'static str),
    /// If the value is `true`.
    SwitchedOn(Danger),
}

use Danger::{Executes, NamesPath, WidensGuard};
use Rule::{Always, Change, SwitchedOn, Word};

/// Every key and its rule. A test of `zephyr-config` compares this with the keys of the schema.
///
/// A port is a guard: clients go on sending their credentials to the port that is given up, and another program
/// could take it. A name of a client token is a guard too: it decides who may spend the user's tokens.
pub const KEYS: &[(&str, Rule)] = &[
    ("server.host", Always(WidensGuard)),
    ("server.port", Always(WidensGuard)),
    ("server.switch_threshold_ms", Change),
    ("server.graceful_switch_timeout_ms", Change),
    ("server.max_body_mb", Change),
    ("server.memory_budget_mb", Change),
    ("server.allowed_hosts", Always(WidensGuard)),
    ("server.allowed_origins", Always(WidensGuard)),
    ("server.client_token_env", Always(WidensGuard)),
    ("server.client_token_keychain", Always(WidensGuard)),
    ("server.allow_other_users", SwitchedOn(WidensGuard)),
    ("server.allow_insecure", SwitchedOn(WidensGuard)),
    ("routing.strategy", Change),
    ("routing.sticky_sessions", Change),
    ("routing.sticky_ttl_seconds", Change),
    ("routing.min_dwell_seconds", Change),
    ("routing.second_usd", Change),
    ("failover.enabled", Change),
    ("failover.max_attempts", Change),
    ("failover.connect_timeout_seconds", Change),
    ("failover.patience", Change),
    ("failover.first_event_timeout_seconds", Change),
    ("failover.idle_timeout_seconds", Change),
    ("failover.hedge", Change),
    ("failover.hedge_budget_percent", Change),
    ("failover.last_resort", Change),
    ("failover.hold_seconds", Change),
    ("failover.on_client_errors", Change),
    ("failover.retry_budget_percent", Change),
    ("failover.replay_limit_mb", Change),
    ("failover.retry_sent_requests", Change),
    ("failover.repair_thinking", Change),
    ("breaker.policy", Change),
    ("breaker.max_failures", Change),
    ("breaker.cooldown_seconds", Change),
    ("breaker.max_cooldown_seconds", Change),
    ("breaker.window_seconds", Change),
    ("breaker.min_failures", Change),
    ("health_check.mode", Word(Executes, "claude_cli")),
    ("health_check.model", Change),
    ("health_check.interval_seconds", Change),
    ("health_check.dynamic_scaling", Change),
    ("health_check.min_interval_seconds", Change),
    ("health_check.max_interval_seconds", Change),
    ("health_check.timeout_seconds", Change),
    ("health_check.daily_budget_usd", Change),
    ("health_check.claude_binary_path", Always(Executes)),
    ("validation.strict_anthropic_format", Change),
    ("validation.validate_streaming", Change),
    ("validation.disconnect_on_invalid", Change),
    ("logging.level", Change),
    ("logging.log_request_types", Change),
    ("logging.log_request_body", Change),
    ("logging.log_response_body", Change),
    ("logging.log_directory", Always(NamesPath)),
    ("logging.retention_days", Change),
    ("logging.max_size_mb", Change),
    ("web_admin.enabled", Always(WidensGuard)),
    ("web_admin.host", Always(WidensGuard)),
    ("web_admin.port", Always(WidensGuard)),
    ("ui.language", Change),
    ("ui.theme", Change),
    ("notifications.on_switch", Change),
    ("notifications.on_all_down", Change),
    ("notifications.on_recovery", Change),
    ("notifications.on_offline", Change),
    ("notifications.on_refused", Change),
    ("notifications.on_budget", Change),
    ("notifications.min_interval_seconds", Change),
    ("desktop.launch_at_login", Change),
    ("desktop.start_hidden", Change),
    ("desktop.restore_claude_code_on_quit", Change),
];

/// The class of giving `key` this value; `None` takes the key out. A key without a rule is dangerous.
pub fn class_of_key(key: &str, value: Option<&SettingValue>) -> Class {
    let Some((_, rule)) = KEYS.iter().find(|(known, _)| *known == key) else {
        return Class::Dangerous(WidensGuard);
    };
    let danger = match (rule, value) {
        (Change, _) => None,
        (Always(danger), _) => Some(*danger),
        (Word(danger, word), Some(SettingValue::Text(text))) if text.trim() == *word => {
            Some(*danger)
        }
        (SwitchedOn(danger), Some(SettingValue::Switch(true))) => Some(*danger),
        (Word(..) | SwitchedOn(_), _) => None,
    };
    danger.map_or(Class::Change, Class::Dangerous)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SettingValue {
        SettingValue::Text(text.to_owned())
    }

    #[test]
    fn what_executes_names_a_path_or_opens_a_door_is_dangerous() {
        let class = |key, value: SettingValue| class_of_key(key, Some(&value));

        assert_eq!(
            class("health_check.claude_binary_path", text("/tmp/x")),
            Class::Dangerous(Executes)
        );
        assert_eq!(
            class("logging.log_directory", text("/tmp/x")),
            Class::Dangerous(NamesPath)
        );
        assert_eq!(
            class("server.host", text("0.0.0.0")),
            Class::Dangerous(WidensGuard)
        );
        assert_eq!(class("ui.theme", text("dark")), Class::Change);
        assert_eq!(
            class("health_check.interval_seconds", SettingValue::Number(30.0)),
            Class::Change
        );
    }

    #[test]
    fn the_value_decides_where_one_value_is_dangerous_and_the_others_are_not() {
        let mode = |word| class_of_key("health_check.mode", Some(&text(word)));
        let others = |on| class_of_key("server.allow_other_users", Some(&SettingValue::Switch(on)));

        assert_eq!(mode("claude_cli"), Class::Dangerous(Executes));
        assert_eq!(mode(" claude_cli "), Class::Dangerous(Executes));
        assert_eq!(mode("connect"), Class::Change);
        assert_eq!(others(true), Class::Dangerous(WidensGuard));
        assert_eq!(others(false), Class::Change);
        assert_eq!(class_of_key("health_check.mode", None), Class::Change);
    }

    #[test]
    fn a_key_that_nobody_thought_of_is_dangerous() {
        for key in ["network.proxy", "server.tls_cert", "", "server"] {
            let class = class_of_key(key, Some(&text("x")));
            assert!(matches!(class, Class::Dangerous(_)), "{key}");
        }
    }

    #[test]
    fn no_key_has_two_rules() {
        for (at, (key, _)) in KEYS.iter().enumerate() {
            assert!(KEYS[..at].iter().all(|(other, _)| other != key), "{key}");
        }
    }
}
