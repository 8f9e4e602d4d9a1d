//! Which addresses are public. The classes are those of the IANA special-purpose registries.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de};

/// A network, `10.0.0.0/8` or `fd00::/8`; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network such as 10.0.0.0/8 or fd00::/8")]
pub struct CidrError(String);

impl Cidr {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self {
            base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    const fn v6(first: u16, second: u16, prefix: u8) -> Self {
        Self {
            base: IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)),
            prefix,
        }
    }

    /// Whether the address is inside. Families never match each other.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let drop = 32_u32.saturating_sub(u32::from(self.prefix));
                let differ = u32::from(base) ^ u32::from(address);
                differ.checked_shr(drop).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let drop = 128_u32.saturating_sub(u32::from(self.prefix));
                let differ = u128::from(base) ^ u128::from(address);
                differ.checked_shr(drop).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || CidrError(text.to_owned());
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| error())?;
        let widest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => widest,
            Some(prefix) => prefix.parse().map_err(|_| error())?,
        };
        if prefix > widest {
            return Err(error());
        }
        Ok(Self { base, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

const IPV4: &[(Cidr, &str)] = &[
    (Cidr::v4(0, 0, 0, 0, 8), "this network"),
    (Cidr::v4(10, 0, 0, 0, 8), "private"),
    (Cidr::v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (Cidr::v4(127, 0, 0, 0, 8), "loopback"),
    (Cidr::v4(169, 254, 0, 0, 16), "link-local"),
    (Cidr::v4(172, 16, 0, 0, 12), "private"),
    (Cidr::v4(192, 0, 0, 0, 24), "protocol assignments"),
    (Cidr::v4(192, 0, 2, 0, 24), "documentation"),
    (Cidr::v4(192, 88, 99, 0, 24), "6to4 relay"),
    (Cidr::v4(192, 168, 0, 0, 16), "private"),
    (Cidr::v4(198, 18, 0, 0, 15), "benchmarking"),
    (Cidr::v4(198, 51, 100, 0, 24), "documentation"),
    (Cidr::v4(203, 0, 113, 0, 24), "documentation"),
    (Cidr::v4(224, 0, 0, 0, 4), "multicast"),
    (Cidr::v4(240, 0, 0, 0, 4), "reserved or broadcast"),
];

/// Exceptions inside 2000::/3. Tunnel prefixes are refused even when they embed a public IPv4
/// address: what they lead to is decided by a relay we don't know.
const IPV6: &[(Cidr, &str)] = &[
    (Cidr::v6(0x2001, 0, 23), "protocol assignments or Teredo"),
    (Cidr::v6(0x2001, 0xdb8, 32), "documentation"),
    (Cidr::v6(0x2002, 0, 16), "6to4"),
    (Cidr::v6(0x3fff, 0, 20), "documentation"),
];

/// The only part of IPv6 that is handed out for global unicast. Everything else (loopback,
/// unique-local, link-local, multicast, IPv4-mapped, NAT64) is refused by not being in it.
const GLOBAL_UNICAST: Cidr = Cidr::v6(0x2000, 0, 3);

/// The class of an address that is not public, or `None` for a public one.
pub fn refused_class(address: IpAddr) -> Option<&'static str> {
    let table = match address {
        IpAddr::V4(_) => IPV4,
        IpAddr::V6(_) if !GLOBAL_UNICAST.contains(address) => return Some("not global unicast"),
        IpAddr::V6(_) => IPV6,
    };
    table
        .iter()
        .find(|(network, _)| network.contains(address))
        .map(|(_, class)| *class)
}
