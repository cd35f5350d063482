//! The language to speak: the configured one, otherwise the system's.

use zephyr_control::{Language, LanguageChoice, Snapshot};
use zephyr_core::config::Language as Configured;

/// The configured language, otherwise the system's.
pub fn spoken(configured: Configured) -> Language {
    choose(configured, system_locale().as_deref())
}

/// The language in an instance's configuration, otherwise the system's.
pub fn of(snapshot: &Snapshot) -> Language {
    spoken(match snapshot.appearance.language {
        LanguageChoice::Auto => Configured::Auto,
        LanguageChoice::En => Configured::En,
        LanguageChoice::Zh => Configured::Zh,
    })
}

/// The language to speak if `locale` is the value of `LC_ALL`, `LC_MESSAGES` or `LANG`.
fn choose(configured: Configured, locale: Option<&str>) -> Language {
    match configured {
        Configured::En => Language::En,
        Configured::Zh => Language::Zh,
        Configured::Auto if locale.is_some_and(is_chinese) => Language::Zh,
        Configured::Auto => Language::En,
    }
}

/// The system's locale: the variables that POSIX names, in its order.
fn system_locale() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
}

fn is_chinese(locale: &str) -> bool {
    let language = locale.split(['_', '-', '.', '@']).next();
    language.is_some_and(|language| language.eq_ignore_ascii_case("zh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_language_counts_first() {
        assert_eq!(choose(Configured::En, Some("zh_CN.UTF-8")), Language::En);
        assert_eq!(choose(Configured::Zh, Some("en_US.UTF-8")), Language::Zh);
    }

    #[test]
    fn the_locale_decides_where_nothing_is_configured() {
        let cases = [
            (Some("zh_CN.UTF-8"), Language::Zh),
            (Some("zh"), Language::Zh),
            (Some("zh-Hans"), Language::Zh),
            (Some("en_US.UTF-8"), Language::En),
            (Some("zha_CN"), Language::En),
            (Some("C"), Language::En),
            (None, Language::En),
        ];

        for (locale, language) in cases {
            assert_eq!(choose(Configured::Auto, locale), language, "{locale:?}");
        }
    }
}
