//! Networks that an API key is bound to.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks a key may be used from. None: from everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Networks(Vec<IpNet>);

/// The text at this position is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotANetwork(pub(crate) usize);

impl Networks {
    /// Each text is `192.0.2.0/24`, `2001:db8::/32`, or one address. Bits behind the prefix are dropped, as PostgreSQL's
    /// `cidr` wants it.
    pub(crate) fn parse(texts: &[impl AsRef<str>]) -> Result<Self, NotANetwork> {
        let mut networks = Vec::with_capacity(texts.len());
        for (position, text) in texts.iter().enumerate() {
            let network = network(text.as_ref()).ok_or(NotANetwork(position))?;
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        Ok(Self(networks))
    }

    /// Whether a key may be used from the address. One that is not known is in no network.
    pub(crate) fn allow(&self, address: Option<IpAddr>) -> bool {
        // A dual-stack socket shows IPv4 callers as `::ffff:192.0.2.1`.
        let address = address.map(|address| address.to_canonical());
        self.0.is_empty()
            || address
                .is_some_and(|address| self.0.iter().any(|network| network.contains(&address)))
    }

    pub(crate) fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    // Such a network would never match: callers are compared in their own family.
    let is_mapped = matches!(network, IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some());
    (!is_mapped).then(|| network.trunc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowed(networks: &[&str], address: &str) -> bool {
        let networks = Networks::parse(networks).unwrap();
        networks.allow(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_key_without_networks_is_good_everywhere_and_a_bound_one_only_there() {
        assert!(Networks::default().allow(None));
        assert!(allowed(&[], "203.0.113.9"));
        for (networks, address, expected) in [
            (&["192.0.2.0/24"][..], "192.0.2.255", true),
            (&["192.0.2.0/24"], "192.0.3.0", false),
            (&["192.0.2.0/24"], "::ffff:192.0.2.7", true),
            (&["192.0.2.77/24"], "192.0.2.1", true),
            (&["192.0.2.7"], "192.0.2.7", true),
            (&["192.0.2.7"], "192.0.2.8", false),
            (&["10.0.0.0/8", "2001:db8::/32"], "2001:db8:1::1", true),
            (&["10.0.0.0/8", "2001:db8::/32"], "2001:db9::1", false),
            (&["::/0"], "192.0.2.1", false),
        ] {
            assert_eq!(
                allowed(networks, address),
                expected,
                "{networks:?} {address}"
            );
        }
        assert!(!Networks::parse(&["10.0.0.0/8"]).unwrap().allow(None));
    }

    #[test]
    fn what_is_not_a_network_is_named_by_its_position() {
        for text in [
            "",
            "example.com",
            "10.0.0.0/33",
            "10.0.0",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/8 ",
        ] {
            assert_eq!(
                Networks::parse(&["10.0.0.0/8", text]),
                Err(NotANetwork(1)),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_network_has_its_addresses_and_its_text_is_itself(address: [u8; 4], prefix in 0..=32_u8) {
            let address = IpAddr::from(address);
            let networks = Networks::parse(&[format!("{address}/{prefix}")]).unwrap();
            prop_assert!(networks.allow(Some(address)));
            prop_assert_eq!(Networks::parse(&networks.to_texts()), Ok(networks));
        }
    }
}
