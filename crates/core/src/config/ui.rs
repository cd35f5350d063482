//! `[ui]`: language and theme.

/// `[ui]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ui {
    /// Language of every front-end.
    pub language: Language,
    /// Colours of the window and the page.
    pub theme: Theme,
}

/// Language of every front-end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The system's.
    #[default]
    Auto,
    /// English.
    En,
    /// 简体中文.
    Zh,
}

/// Colours of the window and the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The system's.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}
