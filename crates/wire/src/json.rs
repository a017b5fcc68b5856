//! Reading a body: strict JSON, and the few shapes that a field may have (decisions H1, H2).

use secrecy::zeroize::Zeroize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

/// Deepest nesting that is read; the root object is the first level (decision H1).
pub const DEPTH_MAX: usize = 32;

/// Why a body cannot be read; HTTP 400 with T0400 (decision H1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is not JSON")]
    NotJson,
    #[error("a key stands twice in one object")]
    DuplicateKey,
    #[error("the body is nested deeper than 32 levels")]
    TooDeep,
    #[error("the body is not a JSON object")]
    NotObject,
}

impl Fault {
    /// The same in Korean, for the wire's `message`.
    pub fn ko(self) -> &'static str {
        match self {
            Fault::NotUtf8 => "본문이 UTF-8이 아닙니다.",
            Fault::NotJson => "본문이 JSON이 아닙니다.",
            Fault::DuplicateKey => "같은 이름의 필드가 두 번 있습니다.",
            Fault::TooDeep => "본문의 중첩이 32단계를 초과했습니다.",
            Fault::NotObject => "본문이 JSON 객체가 아닙니다.",
        }
    }
}

/// The field has a JSON type that is not read there; the endpoint says with which code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the field has another JSON type")]
pub struct WrongType;

/// The fields of a body's object. Prints no value: some of them are secret.
#[derive(Default)]
pub struct Fields(HashMap<String, Field>);

/// What a field holds, as far as an endpoint could want it.
enum Field {
    Null,
    Text(String),
    Integer(u64),
    /// A boolean, a number that is no integer from 0 to 2^64 - 1, an array or an object.
    Other,
}

/// Card numbers pass through here: no value stays behind in memory, also of a body that cannot be read.
impl Drop for Field {
    fn drop(&mut self) {
        match self {
            Field::Text(text) => text.zeroize(),
            Field::Integer(number) => number.zeroize(),
            Field::Null | Field::Other => {}
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({} of them)", self.0.len())
    }
}

impl Fields {
    /// Reads one JSON object and nothing after it.
    ///
    /// Fails at the first [`Fault`]. A lone surrogate is no JSON text, neither is a byte order mark.
    pub fn parse(body: &[u8]) -> Result<Fields, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| Fault::NotUtf8)?;
        let fault = Cell::new(None);
        let mut json = serde_json::Deserializer::from_str(text);
        let root = Level { depth: 1, fault: &fault };
        let read = json.deserialize_map(Root(root)).and_then(|fields| json.end().map(|()| fields));
        read.map(Fields).map_err(|error| match (fault.get(), error.classify()) {
            (Some(fault), _) => fault,
            (None, Category::Data) => Fault::NotObject,
            (None, _) => Fault::NotJson,
        })
    }

    /// A field that is text. Absent, `null` and `""` are the same, `None` (decision H2).
    pub fn text(&self, name: &str) -> Result<Option<&str>, WrongType> {
        match self.0.get(name) {
            None | Some(Field::Null) => Ok(None),
            Some(Field::Text(text)) => Ok((!text.is_empty()).then_some(text)),
            Some(Field::Integer(_) | Field::Other) => Err(WrongType),
        }
    }

    /// A field of the documents' type N: like [`Fields::text`], and a JSON integer from 0 to
    /// 2^64 - 1 as its digits. What is in a text is not looked at.
    pub fn number(&self, name: &str) -> Result<Option<Cow<'_, str>>, WrongType> {
        match self.0.get(name) {
            Some(Field::Integer(number)) => Ok(Some(Cow::Owned(number.to_string()))),
            _ => self.text(name).map(|text| text.map(Cow::Borrowed)),
        }
    }
}

/// Reads one value. Faults are put aside, because serde's errors carry nothing but text.
#[derive(Clone, Copy)]
struct Level<'a> {
    depth: usize,
    fault: &'a Cell<Option<Fault>>,
}

impl Level<'_> {
    fn stop<E: serde::de::Error>(self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom(fault)
    }

    /// The level that a value inside of this one is on, if there may be one.
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth > DEPTH_MAX {
            return Err(self.stop(Fault::TooDeep));
        }
        Ok(Level { depth: self.depth + 1, ..self })
    }

    fn object<'de, A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> Result<HashMap<String, Field>, A::Error> {
        let inner = self.inner()?;
        let mut fields = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.contains_key(&name) {
                return Err(self.stop(Fault::DuplicateKey));
            }
            fields.insert(name, map.next_value_seed(inner)?);
        }
        Ok(fields)
    }
}

/// The outermost value, which has to be an object.
struct Root<'a>(Level<'a>);

impl<'de> Visitor<'de> for Root<'_> {
    type Value = HashMap<String, Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.object(map)
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Field, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(Field::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field, E> {
        Ok(Field::Integer(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Field, A::Error> {
        self.object(map).map(|_| Field::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(body: &[u8]) -> Option<Fault> {
        Fields::parse(body).err()
    }

    #[test]
    fn a_body_is_one_strict_json_object() {
        let table: &[(&[u8], Option<Fault>)] = &[
            (br#"{}"#, None),
            (b" {\"a\":1}\r\n", None),
            (r#"{"가":"나","\ud55c":"\ud83d\ude00"}"#.as_bytes(), None),
            (b"", Some(Fault::NotJson)),
            (b"cst_id=test", Some(Fault::NotJson)),
            (br#"{"a":1"#, Some(Fault::NotJson)),
            (br#"{"a":1,}"#, Some(Fault::NotJson)),
            (br#"{"a":01}"#, Some(Fault::NotJson)),
            (br#"{"a":+1}"#, Some(Fault::NotJson)),
            (br#"{"a":NaN}"#, Some(Fault::NotJson)),
            (br#"{'a':1}"#, Some(Fault::NotJson)),
            (br#"{1:1}"#, Some(Fault::NotJson)),
            (br#"{"a":1} x"#, Some(Fault::NotJson)),
            (br#"{}{}"#, Some(Fault::NotJson)),
            (br#"{"a":"\ud800"}"#, Some(Fault::NotJson)),
            (br#"{"a":"\udc00"}"#, Some(Fault::NotJson)),
            (br#"{"a":"\ud800\ud800"}"#, Some(Fault::NotJson)),
            (b"{\"a\":\"\n\"}", Some(Fault::NotJson)),
            ("\u{feff}{}".as_bytes(), Some(Fault::NotJson)),
            (b"{\"a\":\"\xff\"}", Some(Fault::NotUtf8)),
            (b"{\"a\":\"\xed\xa0\x80\"}", Some(Fault::NotUtf8)),
            (b"\xff\xfe{\0}\0", Some(Fault::NotUtf8)),
            (br#"[]"#, Some(Fault::NotObject)),
            (br#""text""#, Some(Fault::NotObject)),
            (br#"null"#, Some(Fault::NotObject)),
            (br#"17"#, Some(Fault::NotObject)),
            (br#"{"a":1,"a":1}"#, Some(Fault::DuplicateKey)),
            (br#"{"a":1,"\u0061":2}"#, Some(Fault::DuplicateKey)),
            (br#"{"x":{"a":1,"a":1}}"#, Some(Fault::DuplicateKey)),
            (br#"{"x":[{"y":[{"a":1,"a":1}]}]}"#, Some(Fault::DuplicateKey)),
            (br#"{"x":{"a":1},"y":{"a":1}}"#, None),
        ];
        for (body, expected) in table {
            assert_eq!(fault(body), *expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn thirty_two_levels_are_read_and_no_more() {
        let lists = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        let maps = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert_eq!(fault(lists(DEPTH_MAX - 1).as_bytes()), None);
        assert_eq!(fault(lists(DEPTH_MAX).as_bytes()), Some(Fault::TooDeep));
        assert_eq!(fault(maps(DEPTH_MAX).as_bytes()), None);
        assert_eq!(fault(maps(DEPTH_MAX + 1).as_bytes()), Some(Fault::TooDeep));
        assert_eq!(fault(lists(30_000).as_bytes()), Some(Fault::TooDeep));
        assert_eq!(fault("{\"a\":".repeat(10_000).as_bytes()), Some(Fault::TooDeep));
    }

    #[test]
    fn a_field_is_text_or_where_it_may_be_a_whole_number() {
        let (none, wrong) = (Ok(None), Err(WrongType));
        let some = |text: &'static str| Ok(Some(text));
        let table = [
            ("null", none, none),
            ("\"\"", none, none),
            ("\" \"", some(" "), some(" ")),
            ("\"1000\"", some("1000"), some("1000")),
            ("\"정산\"", some("정산"), some("정산")),
            ("0", wrong, some("0")),
            ("1000", wrong, some("1000")),
            ("18446744073709551615", wrong, some("18446744073709551615")),
            ("18446744073709551616", wrong, wrong),
            ("-1", wrong, wrong),
            ("-0", wrong, wrong),
            ("1.0", wrong, wrong),
            ("1e3", wrong, wrong),
            ("true", wrong, wrong),
            ("[]", wrong, wrong),
            ("[\"1\"]", wrong, wrong),
            ("{}", wrong, wrong),
        ];
        for (value, text, number) in table {
            let fields = Fields::parse(format!("{{\"f\":{value}}}").as_bytes()).unwrap();
            assert_eq!(fields.text("f"), text, "{value}");
            assert_eq!(fields.number("f").map(|n| n.map(Cow::into_owned)), owned(number));
            assert_eq!(fields.text("absent"), none);
            assert_eq!(fields.number("absent"), Ok(None));
        }
    }

    fn owned(read: Result<Option<&str>, WrongType>) -> Result<Option<String>, WrongType> {
        read.map(|text| text.map(str::to_owned))
    }

    #[test]
    fn no_value_is_printed() {
        let fields = Fields::parse(br#"{"custKey":"abcd1234567890"}"#).unwrap();
        assert_eq!(format!("{fields:?}"), "Fields(1 of them)");
    }

    #[test]
    fn every_fault_has_both_texts() {
        use Fault::*;
        for fault in [NotUtf8, NotJson, DuplicateKey, TooDeep, NotObject] {
            assert!(fault.to_string().is_ascii() && fault.ko().ends_with("니다."));
        }
        assert!(TooDeep.to_string().contains(&DEPTH_MAX.to_string()));
        assert!(TooDeep.ko().contains(&DEPTH_MAX.to_string()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = Fields::parse(&body);
        }

        #[test]
        fn any_text_comes_back_as_it_was(text in "\\PC{1,40}") {
            let body = serde_json::json!({ "f": text }).to_string();
            let fields = Fields::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(fields.text("f"), Ok(Some(text.as_str())));
        }
    }
}
