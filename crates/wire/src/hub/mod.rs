//! The Hub API: one file per endpoint, each with its path, what it takes and what it answers.
//!
//! In each endpoint's file, `RequestBody` and `Response` say the wire's shape, and they are what
//! the OpenAPI document is made of. `RequestBody` is for documentation only: a call is read by
//! `parse`, which knows which code each fault of form has (decision H6a).
//!
//! Every value of an answer is a JSON string, amounts and counts too.

pub mod credentials;
pub mod execute;
mod field;
pub mod list;
pub mod page;
pub mod real_name;
pub mod refusal;
pub mod remain;
pub mod request;
pub mod result;
pub mod result_date;
pub mod result_group;
pub mod row;
pub mod token;
pub mod waiting;

#[cfg(test)]
pub(crate) mod bad_input;

use ichae_domain::code::{Code, Entry, TABLE};

const DONE: &Entry = &TABLE[Code::A0000 as usize];

/// `result` of a success, for all endpoints but the token's.
pub const RESULT: &str = DONE.name;
/// `message` of a success. Clients compare it letter by letter.
pub const MESSAGE: &str = DONE.ko;

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::OpenApi;

    #[derive(OpenApi)]
    #[openapi(components(schemas(
        credentials::RequestBody,
        execute::RequestBody,
        execute::Response,
        page::RequestBody,
        real_name::RequestBody,
        real_name::Response,
        refusal::RefusalBody,
        refusal::StateCount,
        remain::RequestBody,
        remain::Response,
        request::RequestBody,
        request::Response,
        result::RequestBody,
        result_date::RequestBody,
        result_date::Response,
        result_group::RequestBody,
        result_group::Response,
        row::ResultRow,
        token::RequestBody,
        token::Response,
        waiting::RequestBody,
        waiting::Response,
        waiting::WaitingRow,
    )))]
    struct Everything;

    #[test]
    fn a_success_has_the_text_that_clients_compare() {
        assert_eq!((RESULT, MESSAGE), ("A0000", "처리 성공"));
    }

    #[test]
    fn every_schema_has_a_name_of_its_own_and_every_property_a_description() {
        let document = serde_json::to_value(Everything::openapi()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert_eq!(schemas.len(), 23, "{:?}", schemas.keys());
        for (name, schema) in schemas {
            assert!(schema["description"].is_string(), "{name} {schema}");
            let parts = schema["allOf"].as_array().cloned().unwrap_or(vec![schema.clone()]);
            let properties = parts.iter().filter_map(|part| part["properties"].as_object());
            for (property, of) in properties.flatten() {
                assert!(of["description"].is_string(), "{name}.{property} {of}");
            }
        }
    }
}
