//! `NO_PROXY`: the hosts that are reached without the system's proxy.
//!
//! hyper-util's matcher reads the variable too. But it lacks `*` for addresses, `*.example.com`, ports,
//! brackets and lists without commas, and an empty `NO_PROXY` stops it from reading `no_proxy`. So both are
//! asked.

use std::net::IpAddr;

use http::Uri;

/// The entries of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None`: any port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name and all names under it, in lower case.
    Domain(String),
    /// The addresses whose first bits are these.
    Network(IpAddr, u8),
}

impl NoProxy {
    /// The list of the environment. `variable` looks up an environment variable by its name.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let lists = ["NO_PROXY", "no_proxy"].into_iter().filter_map(variable);
        let mut told = lists.filter(|list| !list.trim().is_empty());
        told.next()
            .map_or_else(Self::default, |list| Self::read(&list))
    }

    /// Reads a list: entries between commas or white space. An entry that cannot be a host is skipped.
    pub(super) fn read(list: &str) -> Self {
        let entries = list.split(|char: char| char == ',' || char.is_whitespace());
        Self(entries.filter_map(Entry::read).collect())
    }

    /// Whether the host of this URL is in the list.
    pub(super) fn has(&self, url: &Uri) -> bool {
        let Some(host) = url.host() else {
            return false;
        };
        let usual = if url.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = url.port_u16().unwrap_or(usual);
        let host = without_brackets(host).unwrap_or(host);
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|only| only == port)
                && entry.hosts.have(&host, address.map(|ip| ip.to_canonical()))
        })
    }
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        if let Some(network) = Hosts::network(text) {
            return Some(Self {
                hosts: network,
                port: None,
            });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            Some(_) | None => (text, None),
        };
        let hosts = match Hosts::network(host) {
            Some(network) => network,
            None if host == "*" => Hosts::All,
            None => {
                let domain = host.strip_prefix('*').unwrap_or(host);
                let domain = domain.trim_start_matches('.').trim_end_matches('.');
                if domain.is_empty() {
                    return None;
                }
                Hosts::Domain(domain.to_ascii_lowercase())
            }
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    /// An address or a CIDR block, with or without brackets.
    fn network(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address = without_brackets(address).unwrap_or(address);
        let address = address.parse::<IpAddr>().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(longest);
        let is_mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
        match bits {
            _ if bits > longest => None,
            96.. if is_mapped => Some(Self::Network(address.to_canonical(), bits - 96)),
            _ => Some(Self::Network(address, bits)),
        }
    }

    fn have(&self, host: &str, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Domain(domain), None) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
            (Self::Network(network, bits), Some(address)) => match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => {
                    let differing = u32::from(*network) ^ u32::from(address);
                    differing.leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    let differing = u128::from(*network) ^ u128::from(address);
                    differing.leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
            },
            (Self::Domain(_), Some(_)) | (Self::Network(..), None) => false,
        }
    }
}

fn without_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URLs that go through the proxy with this list.
    fn proxied<'u>(list: &str, urls: &[&'u str]) -> Vec<&'u str> {
        let no_proxy = NoProxy::read(list);
        let urls = urls.iter().copied();
        urls.filter(|url| !no_proxy.has(&url.parse().unwrap()))
            .collect()
    }

    const NAMES: &[&str] = &[
        "https://example.com",
        "https://API.Example.COM:8443/v1",
        "https://a.b.example.com.",
        "https://notexample.com",
        "https://example.com.evil.test",
        "https://10.1.2.3",
    ];

    #[test]
    fn a_name_stands_for_itself_and_all_under_it_however_it_is_written() {
        for list in [
            "example.com",
            ".example.com",
            "*.example.com",
            "EXAMPLE.com",
            "example.com.",
            " other.test ,  example.com ",
            "other.test example.com",
            ",,example.com,",
        ] {
            assert_eq!(
                proxied(list, NAMES),
                [
                    "https://notexample.com",
                    "https://example.com.evil.test",
                    "https://10.1.2.3"
                ],
                "{list}"
            );
        }
    }

    #[test]
    fn a_star_alone_stands_for_everything() {
        let urls = ["http://a", "http://10.0.0.1:81", "http://[fd00::1]"];
        for list in ["*", "a.example, *", " * "] {
            assert_eq!(proxied(list, &urls), [""; 0], "{list}");
        }
        assert_eq!(proxied("*:81", &urls), ["http://a", "http://[fd00::1]"]);
    }

    #[test]
    fn a_block_stands_for_its_addresses() {
        let urls = [
            "https://10.0.0.0",
            "https://10.255.1.2:8443",
            "https://11.0.0.0",
            "https://[fd00::7]",
            "https://[fd01::7]:8443",
            "https://[::ffff:10.1.1.1]",
            "https://10.example",
        ];
        let v4 = ["https://11.0.0.0", urls[3], urls[4], "https://10.example"];
        let v6 = [urls[0], urls[1], urls[2], urls[4], urls[5], urls[6]];

        assert_eq!(proxied("10.0.0.0/8", &urls), v4);
        assert_eq!(proxied("10.9.9.9/8", &urls), v4);
        assert_eq!(proxied("::ffff:10.0.0.0/104", &urls), v4);
        assert_eq!(proxied("fd00::/16", &urls), v6);
        assert_eq!(proxied("[fd00::]/16", &urls), v6);
        assert_eq!(proxied("0.0.0.0/0,::/0", &urls), ["https://10.example"]);
    }

    #[test]
    fn an_address_stands_for_itself() {
        let urls = [
            "http://127.0.0.1:8080",
            "http://127.0.0.2",
            "http://[::1]:8080",
            "http://[::2]",
        ];

        assert_eq!(proxied("127.0.0.1", &urls), urls[1..]);
        for list in ["::1", "[::1]", "0:0:0:0:0:0:0:1", "[::1]:8080"] {
            assert_eq!(proxied(list, &urls), [urls[0], urls[1], urls[3]], "{list}");
        }
        assert_eq!(proxied("127.0.0.1,[::1]", &urls), [urls[1], urls[3]]);
    }

    #[test]
    fn with_a_port_only_that_port_is_meant() {
        let urls = [
            "http://10.0.0.1:8080",
            "http://10.0.0.1",
            "https://a.example",
            "http://a.example",
            "http://b.a.example:443",
            "http://[::1]:81",
            "http://[::1]",
        ];

        assert_eq!(proxied("10.0.0.1:8080", &urls), urls[1..]);
        assert_eq!(
            proxied("a.example:443", &urls),
            [urls[0], urls[1], urls[3], urls[5], urls[6]]
        );
        assert_eq!(
            proxied("[::1]:81", &urls),
            [&urls[..5], &urls[6..]].concat()
        );
    }

    #[test]
    fn what_is_no_host_stands_for_nothing() {
        let urls = ["http://a.example", "http://10.0.0.1", "http://[::1]"];
        for list in [
            "",
            " ",
            ".",
            "*.",
            ":",
            "[]",
            "10.0.0.0/33",
            "10.0.0.1/x",
            "::1/129",
            "a.example:port",
            "10.0.0.1:99999",
            "/8",
        ] {
            assert_eq!(proxied(list, &urls), urls, "{list:?}");
        }
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        let of = |upper: Option<&str>, lower: Option<&str>| {
            NoProxy::of(|name| {
                let value = if name == "NO_PROXY" { upper } else { lower };
                value.map(str::to_owned)
            })
        };
        let a = NoProxy::read("a.example");

        assert_eq!(of(Some("a.example"), Some("b.example")), a);
        assert_eq!(of(None, Some("a.example")), a);
        assert_eq!(of(Some(""), Some("a.example")), a);
        assert_eq!(of(None, None), NoProxy::default());
    }
}
