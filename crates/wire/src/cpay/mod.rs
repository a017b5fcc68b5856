//! Payple's cpay API: one file per endpoint, each with its path, what it takes and what it answers.
//!
//! A call authenticates at [`auth`] and says there which [`job::Job`] it is for; the follow-up call
//! carries the three values of that answer ([`session`]). A business error is HTTP 200 with
//! `PCD_PAY_RST` `error` ([`failure`]). A field stands in an answer where the newest official sample
//! has it (decision C7); every value is a JSON string, amounts and numbers too.
//!
//! As with the Hub API, `RequestBody` and the answers are what the OpenAPI document is made of, and a
//! call is read by `parse`.

pub mod auth;
pub mod check;
pub mod failure;
mod field;
pub mod head;
pub mod job;
pub mod notice;
pub mod paid;
pub mod pay;
pub mod payer_id;
pub mod receipt;
pub mod refund;
pub mod register;
mod schema;
pub mod session;
pub mod user;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod sample;

pub use job::Job;

use ichae_domain::billing::{Method, Month};

/// `PCD_PAY_TYPE` as answers have it.
pub fn pay_type(method: Method) -> &'static str {
    match method {
        Method::Card => "card",
        Method::Account => "transfer",
    }
}

/// What is paid with, where `PCD_PAY_TYPE` says it.
pub fn method_of(pay_type: &str) -> Option<Method> {
    [Method::Card, Method::Account].into_iter().find(|method| self::pay_type(*method) == pay_type)
}

/// A flag as answers have it.
fn flag(set: bool) -> &'static str {
    if set { "Y" } else { "N" }
}

/// `PCD_PAY_YEAR` and `PCD_PAY_MONTH`; both empty where the payment is not a monthly one.
fn year_and_month(month: Option<Month>) -> (String, String) {
    match month {
        Some(Month(month)) => (format!("{:04}", month / 100), format!("{:02}", month % 100)),
        None => Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::OpenApi;

    #[derive(OpenApi)]
    #[openapi(components(schemas(
        auth::RequestBody,
        auth::Response,
        check::RequestBody,
        failure::Failure,
        head::Head,
        pay::RequestBody,
        receipt::RequestBody,
        refund::RequestBody,
        register::RequestBody,
        register::Response,
        session::RequestBody,
        user::Deleted,
        user::Info,
        user::RequestBody,
    )))]
    struct Everything;

    #[test]
    fn every_schema_has_a_name_of_its_own_and_every_property_a_description() {
        let document = serde_json::to_value(Everything::openapi()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert_eq!(schemas.len(), 14, "{:?}", schemas.keys());
        for (name, schema) in schemas {
            assert!(schema["description"].is_string() && name.starts_with("Cpay"), "{name}");
            let parts = schema["allOf"].as_array().cloned().unwrap_or(vec![schema.clone()]);
            let properties = parts.iter().filter_map(|part| part["properties"].as_object());
            for (property, of) in properties.flatten() {
                assert!(of["description"].is_string(), "{name}.{property} {of}");
            }
        }
    }

    #[test]
    fn a_month_is_four_digits_and_two() {
        let text = |month| year_and_month(month);
        assert_eq!(text(Some(Month(201_804))), ("2018".to_owned(), "04".to_owned()));
        assert_eq!(text(None), Default::default());
    }
}
