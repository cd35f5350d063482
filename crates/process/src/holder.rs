//! The program that has a port, and its user.
//!
//! After a crash anybody on the machine may take Zephyr's port, to which clients still send their requests. So
//! it matters whose program it is. Linux tells the user of every port, and the program of one's own. Other
//! systems tell less.

use std::fmt;
use std::net::SocketAddr;

use listeners::{Process, Protocol};

/// The program that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose it is.
    pub user: User,
    /// Its number and its name, if the system tells.
    pub program: Option<(u32, String)>,
}

/// The user of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// The one who runs this program.
    This,
    /// Another one, by name or number.
    Other(String),
    /// The system does not tell.
    Unknown,
}

impl Holder {
    /// The program that listens at `address`, or at all addresses of the machine. May block.
    pub fn of(address: SocketAddr) -> Self {
        let program = match listeners::get_process_by_port(address.port(), Protocol::TCP) {
            Ok(Process { pid, name, .. }) => Some((pid, in_one_line(&name))),
            Err(_) => None,
        };
        Self {
            user: platform::user(address),
            program,
        }
    }

    /// Whether it surely is another user's.
    pub fn is_foreign(&self) -> bool {
        matches!(self.user, User::Other(_))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.user, &self.program) {
            (User::Other(user), Some((pid, name))) => {
                write!(
                    f,
                    "a program of another user, {user}: {name} (process {pid})"
                )
            }
            (User::Other(user), None) => write!(f, "a program of another user, {user}"),
            (User::This | User::Unknown, Some((pid, name))) if name.starts_with("zephyr") => {
                write!(
                    f,
                    "another Zephyr with a data folder of its own ({name}, process {pid})"
                )
            }
            (User::This | User::Unknown, Some((pid, name))) => {
                write!(f, "{name} (process {pid})")
            }
            (User::This, None) => write!(f, "another program of yours"),
            (User::Unknown, None) => write!(f, "another program, perhaps of another user"),
        }
    }
}

/// Whoever started the program has chosen its name, so it may steer no terminal that shows it.
fn in_one_line(name: &str) -> String {
    name.chars().filter(|char| !char.is_control()).collect()
}

#[cfg(target_os = "linux")]
mod platform {
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use rustix::process::geteuid;
    use zephyr_secrets::ownership::user_name;

    use super::User;

    /// The state of a socket that listens, in the kernel's list.
    const LISTENING: &str = "0A";

    pub(super) fn user(address: SocketAddr) -> User {
        let lists = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
        let mut lists = lists.iter().flatten();
        match lists.find_map(|list| user_in(list, address)) {
            Some(user) if user == geteuid().as_raw() => User::This,
            Some(user) => User::Other(user_name(user)),
            None => User::Unknown,
        }
    }

    /// `list`: in the format of /proc/net/tcp, see `proc_pid_net(5)`: the second field is the local address, the
    /// fourth the state, the eighth the user.
    pub(super) fn user_in(list: &str, address: SocketAddr) -> Option<u32> {
        list.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (ip, port) = fields.get(1)?.split_once(':')?;
            let (ip, port) = (ip_of(ip)?, u16::from_str_radix(port, 16).ok()?);
            let is_ours =
                ip == address.ip() || ip.is_unspecified() || address.ip().is_unspecified();
            let is_it = *fields.get(3)? == LISTENING && port == address.port() && is_ours;
            is_it.then(|| fields.get(7)?.parse().ok())?
        })
    }

    /// The kernel writes 32 bits at a time as a number of this machine.
    fn ip_of(text: &str) -> Option<IpAddr> {
        let word = |at: usize| {
            let word = u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok()?;
            Some(word.to_ne_bytes())
        };
        match text.len() {
            8 => Some(Ipv4Addr::from(word(0)?).into()),
            32 => {
                let mut bytes = [0; 16];
                for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                    part.copy_from_slice(&word(at)?);
                }
                let ip = Ipv6Addr::from(bytes);
                Some(ip.to_ipv4_mapped().map_or(ip.into(), IpAddr::from))
            }
            _ => None,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::net::SocketAddr;

    use super::User;

    pub(super) fn user(_: SocketAddr) -> User {
        User::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_named_as_far_as_it_is_known() {
        let other = || User::Other("mia".to_owned());
        let program = || Some((7, "nc".to_owned()));
        let said = |user, program| Holder { user, program }.to_string();

        assert!(said(other(), None).contains("another user, mia"));
        assert!(said(other(), program()).contains("mia: nc (process 7)"));
        assert_eq!(said(User::This, program()), "nc (process 7)");
        assert!(said(User::Unknown, None).contains("perhaps of another user"));
        assert!(said(User::This, Some((7, "zephyr".to_owned()))).contains("another Zephyr"));
    }

    #[test]
    fn a_name_has_no_control_characters() {
        assert_eq!(in_one_line("a\n\u{1b}[2Jb\u{9b}"), "a[2Jb");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_port_of_ours_is_ours() {
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let Ok(listener) = std::net::TcpListener::bind(address) else {
                println!("skipped: this system has no {address}");
                continue;
            };

            let holder = Holder::of(listener.local_addr().unwrap());

            assert_eq!(holder.user, User::This, "{address}");
            // It is not found while another process of the machine comes or goes.
            let program = holder.program.map(|(pid, _)| pid);
            assert!(
                program.is_none_or(|pid| pid == std::process::id()),
                "{program:?}"
            );
        }
    }

    /// As a machine with the usual order of bytes writes it.
    #[cfg(all(target_os = "linux", target_endian = "little"))]
    #[test]
    fn the_kernels_list_is_understood() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 1 1\n\
             1: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1002        0 2 1\n\
             2: 00000000:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1003        0 3 1\n\
             3: 0000000000000000FFFF00000100007F:1F93 0:0000 0A 0:0 0:0 00000000  1004        0 4 1\n";
        let user = |address: &str| platform::user_in(list, address.parse().unwrap());

        assert_eq!(user("127.0.0.1:8080"), Some(1001));
        assert_eq!(user("0.0.0.0:8080"), Some(1001));
        assert_eq!(user("127.0.0.2:8080"), None);
        assert_eq!(user("127.0.0.1:8081"), None, "it does not listen");
        assert_eq!(user("127.0.0.1:8082"), Some(1003));
        assert_eq!(user("127.0.0.1:8083"), Some(1004));
    }
}
