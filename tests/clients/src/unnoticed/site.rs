//! The endpoints of a trial: they work until one is told to fail, and then it fails for good.

use std::net::SocketAddr;
use std::time::Duration;

use zephyr_testkit::{Act, Endpoint, FaultyPort, Received, TlsEndpoint};

use super::behaviour::{Address, Behaviour, Checks, Pace};

/// One endpoint.
#[derive(Debug)]
pub struct Site {
    addr: SocketAddr,
    url: String,
    pace: Pace,
    stands: Stands,
}

#[derive(Debug)]
enum Stands {
    Endpoint(Endpoint),
    Tls { _endpoint: TlsEndpoint },
    Port { _port: FaultyPort },
}

impl Site {
    /// An endpoint that works, and what is wrong with its address. `rank`: the first, 0, is the fastest.
    pub async fn start(rank: usize, behaviour: &Behaviour) -> Self {
        let pace = pace(rank);
        let endpoint = Endpoint::start(Behaviour::Well.script(pace, Checks::Pass)).await;
        let addr = endpoint.addr();
        let mut site = Self {
            addr,
            url: endpoint.url(),
            pace,
            stands: Stands::Endpoint(endpoint),
        };
        if let Behaviour::Address(address) = behaviour {
            site.misplace(*address).await;
        }
        site
    }

    /// What Zephyr is told.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests of clients that came this far, checks left out. `None`: none can come this far.
    pub fn requests_of_clients(&self) -> Option<Vec<Received>> {
        let Stands::Endpoint(endpoint) = &self.stands else {
            return None;
        };
        let mut requests = endpoint.requests();
        requests.retain(Behaviour::is_of_a_client);
        Some(requests)
    }

    /// Behaves so from now on.
    ///
    /// # Panics
    ///
    /// If the port is lost while one thing takes the place of another.
    pub async fn behave(self, behaviour: &Behaviour, checks: Checks) -> Self {
        let stands = match (self.stands, behaviour) {
            (Stands::Endpoint(endpoint), Behaviour::Port(fault)) => {
                endpoint.stop().await;
                let port = FaultyPort::at(self.addr, *fault).await;
                let _port = port.expect("the endpoint's port should be free again");
                Stands::Port { _port }
            }
            (Stands::Endpoint(endpoint), _) => {
                endpoint.set(behaviour.script(self.pace, checks));
                Stands::Endpoint(endpoint)
            }
            (stands @ (Stands::Tls { .. } | Stands::Port { .. }), _) => stands,
        };
        Self { stands, ..self }
    }

    async fn misplace(&mut self, address: Address) {
        match address {
            Address::HttpsToPlainPort => self.url = format!("https://{}", self.addr),
            Address::UntrustedCertificate => {
                let endpoint = TlsEndpoint::start(Act::message("ok")).await;
                self.url = endpoint.url();
                self.stands = Stands::Tls {
                    _endpoint: endpoint,
                };
            }
            Address::UnknownName => "http://no-such-endpoint.invalid".clone_into(&mut self.url),
        }
    }
}

/// Each is slower than the one before, by more than Zephyr needs to prefer the other.
fn pace(rank: usize) -> Pace {
    let later = u32::try_from(rank).unwrap_or(u32::MAX);
    let by = Duration::from_millis(120).saturating_mul(later);
    Pace {
        check: Duration::from_millis(80) + by,
        first_event: Duration::from_millis(300) + by,
    }
}
