//! Which addresses a webhook may go to (decision H18). Checked on the resolved address, when the
//! connection is made, so that a name that changes its mind reaches nothing.

use ipnet::IpNet;
use std::net::IpAddr;

/// What webhooks may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// LIVE: https, public addresses.
    Public,
    /// TEST: http too, loopback and public addresses, private ranges if allowed.
    Test { private: bool },
}

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
/// Never a destination: this network, link-local (cloud metadata), carrier NAT, benchmarks,
/// documentation, multicast, reserved; and the ranges that wrap an IPv4 address in an IPv6 one.
const NEVER: &[&str] = &[
    "0.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

fn within(list: &[&str], address: IpAddr) -> bool {
    list.iter().filter_map(|net| net.parse::<IpNet>().ok()).any(|net| net.contains(&address))
}

impl Reach {
    /// Whether a connection to this address may be made.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if within(LOOPBACK, address) {
            return self != Reach::Public;
        }
        if within(PRIVATE, address) {
            return self == Reach::Test { private: true };
        }
        !within(NEVER, address)
    }

    /// Whether a webhook address is of a form that may be registered or given: its scheme, no user
    /// info, and an address that is allowed where it is one.
    pub fn accepts(self, url: &str) -> bool {
        let Ok(url) = reqwest::Url::parse(url) else { return false };
        let scheme = match url.scheme() {
            "https" => true,
            "http" => self != Reach::Public,
            _ => false,
        };
        let plain = url.username().is_empty() && url.password().is_none();
        scheme
            && plain
            && url.host_str().is_some()
            && literal(&url).is_none_or(|ip| self.allows(ip))
    }
}

/// The address, where a URL's host is one and not a name.
pub fn literal(url: &reqwest::Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The host of a web address, in small letters; people also write it without a scheme.
pub fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let url = reqwest::Url::parse(&whole).ok()?;
    let web = matches!(url.scheme(), "https" | "http");
    url.host_str().filter(|_| web).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_addresses_reach_nothing() {
        let refused_live = [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://[fd00::1]/",
            "https://10.0.0.1/",
            "https://172.16.9.9/",
            "https://192.168.0.1/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fe80::1]/",
            "https://user@example.com/",
            "https://user:pw@example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "https://",
            "javascript:alert(1)",
            "//x",
            "https://127。0。0。1/",
            "https://①②⑦.0.0.1/",
        ];
        for url in refused_live {
            assert!(!Reach::Public.accepts(url), "{url}");
        }
        assert!(Reach::Public.accepts("https://partner.example/webhook"));
        assert!(Reach::Public.accepts("https://8.8.8.8:8443/hook?x=1"));
    }

    #[test]
    fn test_allows_loopback_and_private_ranges_only_when_asked() {
        let test = Reach::Test { private: false };
        assert!(test.accepts("http://127.0.0.1:9000/hook"));
        assert!(test.accepts("http://localhost:9000/hook"));
        assert!(!test.accepts("http://10.0.0.5/hook"));
        assert!(Reach::Test { private: true }.accepts("http://10.0.0.5/hook"));
        assert!(!Reach::Test { private: true }.accepts("http://169.254.169.254/"));
        assert!(!test.accepts("http://user@127.0.0.1/"));
    }
}
