//! How far from this machine an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far from this machine a host is: whether what is sent there in clear text can be read on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A loopback address, or the one that stands for any of this machine. Nothing leaves the machine.
    ThisMachine,
    /// An address of a private network.
    Private,
    /// An address of the internet.
    Public,
    /// A name. Only its address tells.
    Named,
}

impl Place {
    /// Of a host as URLs have it, an IPv6 address without its brackets.
    pub fn of_host(host: &str) -> Self {
        match host.parse::<IpAddr>() {
            Ok(address) => Self::of(address),
            Err(_) if host.eq_ignore_ascii_case("localhost") => Self::ThisMachine,
            Err(_) => Self::Named,
        }
    }

    /// Of an address. Private are those of RFC 1918, 3927, 4193, 4291 (link-local) and 6598 (shared with a
    /// provider, as VPNs such as Tailscale use them).
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            return Self::ThisMachine;
        }
        let is_private = match address {
            IpAddr::V4(address) => {
                address.is_private() || address.is_link_local() || is_shared(address)
            }
            IpAddr::V6(address) => is_private_v6(address),
        };
        if is_private {
            Self::Private
        } else {
            Self::Public
        }
    }
}

/// 100.64.0.0/10.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_as_far_away_as_its_address() {
        let cases = [
            ("127.0.0.1", Place::ThisMachine),
            ("127.9.9.9", Place::ThisMachine),
            ("::1", Place::ThisMachine),
            ("::ffff:127.0.0.1", Place::ThisMachine),
            ("LocalHost", Place::ThisMachine),
            ("10.1.2.3", Place::Private),
            ("172.31.0.1", Place::Private),
            ("192.168.1.1", Place::Private),
            ("169.254.1.1", Place::Private),
            ("100.64.0.1", Place::Private),
            ("100.127.255.254", Place::Private),
            ("fd00::1", Place::Private),
            ("fe80::1", Place::Private),
            ("::ffff:10.0.0.1", Place::Private),
            ("172.32.0.1", Place::Public),
            ("100.128.0.1", Place::Public),
            ("203.0.113.9", Place::Public),
            ("2001:db8::1", Place::Public),
            ("0.0.0.0", Place::ThisMachine),
            ("relay.example.com", Place::Named),
            ("localhost.example.com", Place::Named),
            ("10.1", Place::Named),
        ];

        for (host, place) in cases {
            assert_eq!(Place::of_host(host), place, "{host}");
        }
    }
}
