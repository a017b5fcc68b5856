//! The API's document and its committed copy.

use crate::app::{PATHS, setup};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use ichae_domain::code::Code;
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::to_value(ichae_server::api::openapi()).unwrap()
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    let generated = ichae_server::api::openapi().to_pretty_json().unwrap() + "\n";
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "the API has changed; run: cargo run -- openapi > docs/reference/openapi.json"
    );
}

/// Every path of the document is served by its method, and every path of the API is in it.
#[tokio::test(start_paused = true)]
async fn the_document_and_the_router_have_the_same_routes() {
    let app = setup().app().await;
    let document = document();
    let mut documented = BTreeSet::new();
    for (path, of) in document["paths"].as_object().unwrap() {
        for method in of.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let request = Request::builder().method(&method).uri(path).body(Body::empty());
            let answer = app.send(request.unwrap()).await;
            let not = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            assert!(!not.contains(&answer.status), "{method} {path}");
            documented.insert((method.to_string(), path.clone()));
        }
    }
    let own = ichae_wire::bulk::PATH;
    let posts = PATHS.iter().map(|(path, _)| *path).chain([own]).chain(crate::cpay::PATHS);
    let posts = posts.map(|path| ("POST".to_owned(), path.to_owned()));
    let gets = ["/livez", "/readyz", "/metrics", "/php/auth.php"];
    let gets = gets.map(|path| ("GET".to_owned(), path.to_owned()));
    assert_eq!(documented, posts.chain(gets).collect());
}

/// Every call but the token's own says that it takes a token.
#[test]
fn the_document_says_who_needs_a_token() {
    let document = document();
    for (path, with_token) in PATHS {
        let says = &document["paths"][path]["post"]["security"];
        assert_eq!(says.is_array(), *with_token, "{path}");
    }
}

#[test]
fn every_code_that_a_description_names_is_in_the_table() {
    let mut named = BTreeSet::new();
    descriptions(&document(), &mut named);
    assert!(named.len() > 40, "{named:?}");
    // The one success that a text names; the table holds refusals.
    let success = ichae_wire::cpay::register::DONE;
    for code in named {
        assert!(Code::find(&code).is_some() || code == success, "{code}");
    }
}

/// Words of a letter and four digits, in the texts for readers.
fn descriptions(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "description" | "summary") => {
                        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
                        named.extend(words.filter(|word| is_code(word)).map(str::to_owned));
                    }
                    other => descriptions(other, named),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| descriptions(item, named)),
        _ => {}
    }
}

/// Four letters, or the documents' `CDAUCK`, and their number, too.
fn is_code(word: &str) -> bool {
    let digits = word.len() - word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let capitals = word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let cpay = word.len() == 8 && capitals && word.starts_with(|c: char| c.is_ascii_uppercase());
    if cpay && (digits == 4 || digits == 2) {
        return true;
    }
    let (letter, digits) = word.split_at(word.len().min(1));
    letter.chars().all(|c| c.is_ascii_uppercase())
        && digits.len() == 4
        && digits.chars().all(|c| c.is_ascii_digit())
}

/// The page and the document that it shows, from this origin only.
#[tokio::test(start_paused = true)]
async fn the_page_is_served_where_it_is_switched_on() {
    let app = setup().settings(|settings| settings.docs = true).app().await;
    for (path, kind) in [("/docs/", "text/html"), ("/openapi.json", "application/json")] {
        let answer = app.send(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'self'"));
    }
    let served = app.send(Request::builder().uri("/openapi.json").body(Body::empty()).unwrap());
    assert_eq!(served.await.json(), document());
}
