//! Where a request comes from, behind proxies of ours or not.

mod network;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};

pub use network::{Network, NetworkInvalid};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// One customer of a provider has at least a /64, and can use every address in it.
const CUSTOMER: u128 = !0 << 64;

/// The client's address: the peer's, or what a trusted proxy says of it. Each proxy appends whom it saw, so the list is
/// read from its end, and the first address that is no proxy of ours is the client; what stands before it is the
/// client's own invention.
pub fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut seen = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','));
    while is_trusted(client) {
        match seen.next().and_then(parse) {
            Some(address) => client = address,
            None => break,
        }
    }
    client.to_canonical()
}

/// What a limit counts: an IPv4 address, or the IPv6 network of a single customer (/64).
pub fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & CUSTOMER).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn seen(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        address(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(seen("203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            seen("10.0.0.1", &["192.0.2.9, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", &["192.0.2.9", "198.51.100.1:4711, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(seen("10.0.0.1", &["2001:db8::1:2:3"]), "2001:db8::1:2:3");
    }

    #[test]
    fn nonsense_from_a_proxy_leaves_the_proxy() {
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1, _hidden, 10.0.0.2"]),
            "10.0.0.2"
        );
    }

    #[test]
    fn an_ipv6_customer_counts_as_one() {
        let of = |address: &str| customer(address.parse().expect("an address")).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:203.0.113.1"), "203.0.113.1");
        assert_eq!(seen("::ffff:203.0.113.1", &[]), "203.0.113.1");
    }
}
