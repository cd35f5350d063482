//! The limit of open files.
//!
//! A shell usually grants 1,024, and every request needs two. A program may raise its limit up to the hard
//! limit. Programs that serve do so once, at their start.

/// Raises the limit of open files as far as the system allows. A failure changes nothing.
#[cfg(unix)]
pub fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// Some systems show no hard limit, and refuse more files than they could have open.
    const PLENTY: u64 = 65_536;
    /// The most that macOS accepts when it shows no hard limit (`OPEN_MAX`).
    const FEW: u64 = 10_240;

    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else {
        return;
    };
    let most = limit.maximum.unwrap_or(PLENTY);
    for wanted in [most, FEW.min(most)] {
        if wanted <= current {
            return;
        }
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => {
                tracing::debug!(from = current, to = wanted, "limit of open files raised");
                return;
            }
            Err(error) => tracing::debug!(wanted, %error, "limit of open files not raised"),
        }
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub fn raise() {}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn what_the_system_allows_is_used() {
        super::raise();

        let limit = getrlimit(Resource::Nofile);

        assert!(limit.current >= limit.maximum.or(Some(10_240)).min(Some(10_240)));
    }
}
