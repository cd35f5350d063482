//! Which credential goes where: what an endpoint is, for somebody who wants a credential.
//!
//! A form is read as the configuration file's reader would read it, and in doubt as the worse of two readings.
//! The name and the order of an endpoint, its weight and the like are no part of a flow.

use serde::{Deserialize, Serialize};

use crate::form::{AuthType, Configuration, EndpointForm, GroupForm, TokenReference};

/// A credential, and where requests take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The credential.
    pub source: Source,
    /// The base URL.
    pub url: String,
    /// What is put before the client's path; empty: nothing.
    pub path_prefix: String,
    /// The proxy on the way, if the form names one. `system` and `direct` name none.
    pub proxy: Option<String>,
}

/// Where a credential comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// A variable of the environment.
    Variable {
        /// Its name.
        name: String,
    },
    /// An entry of the OS keychain.
    Entry {
        /// Its name.
        name: String,
    },
    /// The client sends it.
    Client,
    /// The form does not tell.
    Unknown,
}

impl Source {
    /// The source that a form names.
    pub fn of(reference: &TokenReference) -> Option<Self> {
        match reference {
            TokenReference::None => None,
            TokenReference::Env(name) => Some(Self::Variable {
                name: name.trim().to_owned(),
            }),
            TokenReference::Keychain(name) => Some(Self::Entry {
                name: name.trim().to_owned(),
            }),
        }
    }
}

impl Flow {
    /// Where the endpoint of this form takes credentials: several if it is not certain which.
    pub fn of(form: &EndpointForm, groups: &[GroupForm]) -> Vec<Self> {
        // Without `..`, so that a new field of the form does not compile before somebody has decided about it.
        let EndpointForm {
            name: _,
            group,
            url,
            flag: _,
            enabled: _,
            priority: _,
            weight: _,
            price: _,
            path_prefix,
            auth_type,
            token,
            proxy,
        } = form;
        let group = groups
            .iter()
            .find(|known| known.name.trim() == group.trim());
        let auth_types = [*auth_type, group.map(|group| group.auth_type)];
        let own = Source::of(token);
        let of_group = group.and_then(|group| Source::of(&group.token));
        let is_passthrough = match auth_types {
            [Some(own), _] => own == AuthType::Passthrough,
            [None, of_group] => of_group == Some(AuthType::Passthrough),
        };
        let mut sources = Vec::new();
        if is_passthrough {
            sources.push(Source::Client);
        }
        match (own, of_group) {
            (Some(own), _) => sources.push(own),
            (None, _) if is_passthrough => {}
            (None, Some(of_group)) => sources.push(of_group),
            (None, None) => sources.push(Source::Unknown),
        }
        let filled = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let proxy = filled(proxy).filter(|proxy| proxy != "system" && proxy != "direct");
        let flow = |source| Self {
            source,
            url: url.trim().to_owned(),
            path_prefix: filled(path_prefix).unwrap_or_default(),
            proxy: proxy.clone(),
        };
        sources.into_iter().map(flow).collect()
    }

    /// Every flow of the configuration.
    pub fn all(configuration: &Configuration) -> Vec<Self> {
        let endpoints = configuration.endpoints.iter();
        endpoints
            .flat_map(|form| Self::of(form, &configuration.groups))
            .collect()
    }

    /// Whether it takes a credential only where one of `known` takes it. Leaving a proxy out takes it nowhere
    /// new.
    pub fn is_among(&self, known: &[Self]) -> bool {
        // An unknown credential may be any.
        self.source != Source::Unknown
            && known.iter().any(|known| {
                known.source == self.source
                    && known.url == self.url
                    && known.path_prefix == self.path_prefix
                    && (self.proxy.is_none() || known.proxy == self.proxy)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::form;

    fn group(auth_type: AuthType, token: TokenReference) -> GroupForm {
        GroupForm {
            name: "main".to_owned(),
            default: true,
            auth_type,
            token,
        }
    }

    fn sources(form: &EndpointForm, group: GroupForm) -> Vec<Source> {
        let flows = Flow::of(form, &[group]).into_iter();
        flows.map(|flow| flow.source).collect()
    }

    fn variable(name: &str) -> Source {
        Source::Variable {
            name: name.to_owned(),
        }
    }

    #[test]
    fn an_endpoint_without_a_token_has_its_groups() {
        let token = || TokenReference::Env("T".to_owned());
        let own = EndpointForm {
            token: TokenReference::Env(" OWN ".to_owned()),
            ..form("a", "main")
        };

        let inherited = sources(&form("a", " main "), group(AuthType::ApiKey, token()));
        let own = sources(&own, group(AuthType::ApiKey, token()));
        let elsewhere = sources(&form("a", "other"), group(AuthType::ApiKey, token()));

        assert_eq!(inherited, [variable("T")]);
        assert_eq!(own, [variable("OWN")]);
        assert_eq!(elsewhere, [Source::Unknown]);
    }

    #[test]
    fn the_clients_credential_is_a_source_by_the_endpoint_or_by_its_group() {
        let passes = EndpointForm {
            auth_type: Some(AuthType::Passthrough),
            ..form("a", "main")
        };
        let token = || TokenReference::Env("T".to_owned());
        let unclear = EndpointForm {
            token: token(),
            ..form("a", "main")
        };
        let none = || group(AuthType::Passthrough, TokenReference::None);

        assert_eq!(
            sources(&passes, group(AuthType::ApiKey, token())),
            [Source::Client]
        );
        assert_eq!(sources(&form("a", "main"), none()), [Source::Client]);
        assert_eq!(sources(&unclear, none()), [Source::Client, variable("T")]);
    }

    #[test]
    fn a_credential_that_is_not_known_goes_nowhere_it_went_before() {
        let flows = Flow::of(&form("a", "main"), &[]);

        assert_eq!(flows[0].source, Source::Unknown);
        assert!(!flows[0].is_among(&flows));
    }

    #[test]
    fn a_url_a_prefix_or_a_proxy_that_is_new_is_somewhere_new() {
        let flow = |change: fn(&mut EndpointForm)| {
            let mut form = EndpointForm {
                token: TokenReference::Env("T".to_owned()),
                proxy: Some("http://proxy:1".to_owned()),
                ..form("a", "main")
            };
            change(&mut form);
            Flow::of(&form, &[]).remove(0)
        };
        let known = [flow(|_| ())];

        for change in [
            (|form: &mut EndpointForm| form.url.push('x')) as fn(&mut EndpointForm),
            |form| form.path_prefix = Some("/x".to_owned()),
            |form| form.proxy = Some("http://proxy:2".to_owned()),
            |form| form.token = TokenReference::Env("U".to_owned()),
            |form| form.token = TokenReference::Keychain("T".to_owned()),
        ] {
            assert!(!flow(change).is_among(&known));
        }
        for change in [
            (|form: &mut EndpointForm| form.name.push('x')) as fn(&mut EndpointForm),
            |form| form.url = format!(" {} ", form.url),
            |form| form.proxy = Some("direct".to_owned()),
            |form| form.proxy = None,
            |form| form.priority += 1,
            |form| form.auth_type = Some(AuthType::ApiKey),
        ] {
            assert!(flow(change).is_among(&known));
        }
    }
}
