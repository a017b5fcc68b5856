//! Strict JSON: what a message may consist of, and nothing twice.
//!
//! A derived reader would take the last of two keys, or a list in the place of an object. About
//! money neither is a reading, so both are refused.

use super::message::BODY_MAX;
use ichae_domain::bank::{BankCode, Why};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// One value of an answer. It may hold names, so it does not print.
#[derive(PartialEq)]
pub(super) enum Node {
    Null,
    Text(String),
    Whole(u64),
    /// A value that no message has: a boolean, a fraction, a negative number.
    Other,
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl Node {
    /// An answer's body: one object, no key twice anywhere, not too long and not too deep.
    pub fn read(body: &[u8]) -> Result<Node, Why> {
        if body.len() > BODY_MAX {
            return Err(Why::Unreadable);
        }
        match serde_json::from_slice(body) {
            Ok(node @ Node::Object(_)) => Ok(node),
            _ => Err(Why::Unreadable),
        }
    }

    /// A member; `None` where there is none, or null.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Object(members) => members.get(key).filter(|node| **node != Node::Null),
            _ => None,
        }
    }

    /// A member's text; `None` where it is absent, null or empty. Any other kind of value is
    /// unreadable, for the API writes numbers as texts too.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Why> {
        match self.get(key) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok((!text.is_empty()).then_some(text.as_str())),
            Some(_) => Err(Why::Unreadable),
        }
    }

    /// A member's response code; a text that is none is unreadable.
    pub fn code(&self, key: &str) -> Result<Option<BankCode>, Why> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        BankCode::find(text).map(Some).ok_or(Why::Unreadable)
    }

    /// A bank's own code: three digits. A code of the centre in its place decides nothing.
    pub fn bank_code(&self) -> Result<Option<BankCode>, Why> {
        match self.code("bank_rsp_code")? {
            Some(code) if !code.is_banks() => Err(Why::Undecided(code)),
            code => Ok(code),
        }
    }

    /// `res_list`; `None` where the answer has none. Entries that are no objects are unreadable.
    pub fn entries(&self) -> Result<Option<&[Node]>, Why> {
        match self.get("res_list") {
            None => Ok(None),
            Some(Node::List(list)) if list.iter().all(|e| matches!(e, Node::Object(_))) => {
                Ok(Some(list))
            }
            Some(_) => Err(Why::Unreadable),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Node, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Whole(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            if members.insert(key, node).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Node::Object(members))
    }
}
