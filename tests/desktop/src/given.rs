//! Where the programs are that a test needs.

/// What `cargo xtask desktop` says in the environment.
pub(crate) fn given(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run this by `cargo xtask desktop`"))
}
