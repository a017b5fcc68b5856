//! Where a call says that it comes from (decision C2).

use crate::reach::host;
use axum::http::HeaderMap;
use axum::http::header::REFERER;

/// Whether the Referer's host is one of these, or below one of them.
pub fn is_registered(headers: &HeaderMap, domains: &[String]) -> bool {
    let text = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let Some(host) = text.and_then(host) else { return false };
    domains.iter().any(|domain| {
        host == *domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registered_domain_and_what_is_below_it() {
        let domains = ["shop.example".to_owned(), "other.example".to_owned()];
        let table = [
            ("https://shop.example", true),
            ("https://shop.example/pay?x=1", true),
            ("http://SHOP.example:8080/", true),
            ("shop.example", true),
            ("https://www.shop.example", true),
            ("https://a.b.other.example", true),
            ("https://myshop.example", false),
            ("https://shop.example.evil.example", false),
            ("https://evil.example/?https://shop.example", false),
            ("https://shop.example@evil.example", false),
            ("https://evil.example#shop.example", false),
            ("ftp://shop.example", false),
            ("http://localhost:8080", false),
            ("", false),
        ];
        for (referer, registered) in table {
            let mut headers = HeaderMap::new();
            headers.insert(REFERER, referer.parse().unwrap());
            assert_eq!(is_registered(&headers, &domains), registered, "{referer}");
        }
        assert!(!is_registered(&HeaderMap::new(), &domains));
    }
}
