use super::*;

fn check(url: &str) -> Result<(), Refused> {
    Policy::default().check_url(&Url::parse(url).expect("a URL"))
}

/// First and last addresses of every special network.
const REFUSED: &str = "\
    0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0
    100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254
    172.16.0.0 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1
    192.168.0.1 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7
    203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:8.8.8.8 ::ffff:127.0.0.1 64:ff9b::8.8.8.8
    64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378::1 2001:10::1
    2001:20::1 2001:db8::1 2002:808:808::1 3fff::1 fc00::1
    fdff::1 fe80::1 fec0::1 ff02::1";

/// Their neighbours.
const PUBLIC: &str = "\
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255
    100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
    172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0
    198.17.255.255 198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888
    2003::1 2606:4700:4700::1111 2a00:1450::1";

#[test]
fn every_special_network_is_refused_up_to_its_edges() {
    for text in REFUSED.split_whitespace() {
        let address = text.parse().expect("an address");
        assert!(refused_class(address).is_some(), "{text} must be refused");
    }
    for text in PUBLIC.split_whitespace() {
        let address = text.parse().expect("an address");
        assert_eq!(refused_class(address), None, "{text} must be allowed");
    }
}

#[test]
fn disguised_loopback_addresses_are_refused() {
    for url in [
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::ffff:7f00:1]/",
        "https://①②⑦.0.0.1/",
        "https://127.0.0.1./",
        "https://0/",
    ] {
        assert_eq!(check(url), Err(Refused::Address), "{url}");
    }
}

#[test]
fn confusing_urls_are_refused_or_read_as_the_client_reads_them() {
    assert_eq!(check("http://example.com/"), Err(Refused::Scheme));
    assert_eq!(check("ftp://example.com/"), Err(Refused::Scheme));
    assert_eq!(check("file:///etc/passwd"), Err(Refused::Scheme));
    assert_eq!(check("https://user@example.com/"), Err(Refused::Userinfo));
    assert_eq!(check("https://:pw@example.com/"), Err(Refused::Userinfo));
    assert_eq!(check("https://example.com:22/"), Err(Refused::Port(22)));
    assert_eq!(check("https://example.com:6379/"), Err(Refused::Port(6379)));
    assert_eq!(check("https://example.com\\@127.0.0.1/"), Ok(()));
    let url = Url::parse("https://example.com\\@127.0.0.1/").expect("a URL");
    assert_eq!(url.host_str(), Some("example.com"));
    assert_eq!(check("https://example.com/hook?x=1#127.0.0.1"), Ok(()));
    assert_eq!(check("https://example.com:443/"), Ok(()));
}

#[test]
fn our_own_addresses_stay_refused_although_public() {
    let policy = Policy {
        allow: vec!["127.0.0.0/8".parse().expect("a network")],
        deny: vec![
            "127.0.0.2".parse().expect("a network"),
            "8.8.8.8".parse().expect("a network"),
        ],
        ..Policy::default()
    };
    let check = |address: &str| policy.check_address(address.parse().expect("an address"));
    assert_eq!(check("127.0.0.1"), Ok(()));
    assert_eq!(check("127.0.0.2"), Err(Refused::Address));
    assert_eq!(check("8.8.8.8"), Err(Refused::Address));
    assert_eq!(check("8.8.4.4"), Ok(()));
}

#[test]
fn networks_are_read_strictly() {
    for text in [
        "10.0.0.0/33",
        "10.0.0/8",
        "fd00::/129",
        "x",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
    ] {
        assert!(text.parse::<Cidr>().is_err(), "{text}");
    }
    let all: Cidr = "0.0.0.0/0".parse().expect("a network");
    assert!(all.contains("203.0.113.1".parse().expect("an address")));
    assert!(!all.contains("::1".parse().expect("an address")));
}
