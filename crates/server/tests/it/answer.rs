//! An answer of the API, as a test looks at it.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// A field that has to be a JSON string.
    pub fn get(&self, name: &str) -> String {
        let json = self.json();
        json[name].as_str().unwrap_or_else(|| panic!("{name} in {json}")).to_owned()
    }

    pub fn code(&self) -> String {
        self.get("result")
    }

    pub fn message(&self) -> String {
        self.get("message")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The names of the answer's fields, as they stand in its text.
    pub fn names(&self) -> Vec<String> {
        self.json().as_object().unwrap().keys().cloned().collect()
    }
}
