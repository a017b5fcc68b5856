//! The forms of fields (openbanking 1): every one is a text, and what is not listed is refused.

use ichae_domain::time::Day;
use serde_json::{Map, Value};

/// What a field may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Up to so many digits.
    Digits(usize),
    /// Exactly so many digits.
    Number(usize),
    /// Up to so many letters and digits.
    Plain(usize),
    /// Up to so many characters, none of them a control character.
    Text(usize),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// `yyyyMMddHHmmss`.
    Moment,
    /// `yyyyMMdd`.
    Date,
    /// 1 to 999,999,999,999 won.
    Amount,
}

/// One field of a form.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub must: bool,
}

/// A field that must be there and not be empty.
pub const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, must: true }
}

/// A field that may be absent or empty.
pub const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, must: false }
}

/// What is wrong with a form: the name of the field, never its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bad(pub String);

/// A form whose fields are good.
pub struct Form(Map<String, Value>);

impl Form {
    /// Reads an object of exactly these fields.
    pub fn read(value: Value, fields: &[Field]) -> Result<Form, Bad> {
        let Value::Object(object) = value else { return Err(Bad("JSON".to_owned())) };
        if let Some(name) = object.keys().find(|name| fields.iter().all(|f| f.name != **name)) {
            return Err(Bad(format!("{name}?")));
        }
        for Field { name, kind, must } in fields {
            let good = match object.get(*name) {
                None => !must,
                Some(Value::String(text)) if text.is_empty() => !must,
                Some(Value::String(text)) => kind.fits(text),
                Some(_) => false,
            };
            if !good {
                return Err(Bad((*name).to_owned()));
            }
        }
        Ok(Form(object))
    }

    /// Reads an object with a `req_list` of `req_cnt` entries, `most` at most.
    pub fn read_list(
        body: &[u8],
        fields: &[Field],
        entry: &[Field],
        most: usize,
    ) -> Result<(Form, Vec<Form>), Bad> {
        let mut value = json(body)?;
        let list = value.as_object_mut().and_then(|object| object.remove("req_list"));
        let form = Form::read(value, fields)?;
        let Some(Value::Array(list)) = list else { return Err(Bad("req_list".to_owned())) };
        let count: Option<usize> = form.text("req_cnt").parse().ok();
        if count != Some(list.len()) || list.is_empty() || list.len() > most {
            return Err(Bad("req_cnt".to_owned()));
        }
        let entries = list.into_iter().map(|one| Form::read(one, entry));
        Ok((form, entries.collect::<Result<_, _>>()?))
    }

    /// The text of a field, empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number of won; the form was read, so it is one.
    pub fn amount(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    /// Twenty characters: the institution's ten, `U`, and nine digits or upper-case letters
    /// (openbanking 3).
    pub fn check_tran_id(&self, name: &str, institution: &str) -> Result<(), Bad> {
        let text = self.text(name);
        let rest = text.strip_prefix(institution).and_then(|rest| rest.strip_prefix('U'));
        let good = rest.is_some_and(|rest| {
            rest.len() == 9 && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        });
        if good && text.len() == 20 { Ok(()) } else { Err(Bad(name.to_owned())) }
    }

    /// The fields of these names, as the answer repeats them.
    pub fn echo(&self, names: &[&str], into: &mut Map<String, Value>) {
        for name in names {
            into.insert((*name).to_owned(), self.text(name).into());
        }
    }
}

/// Reads a body.
pub fn json(body: &[u8]) -> Result<Value, Bad> {
    serde_json::from_slice(body).map_err(|_| Bad("JSON".to_owned()))
}

impl Kind {
    fn fits(self, text: &str) -> bool {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let length = text.chars().count();
        match self {
            Kind::Digits(most) => digits && length <= most,
            Kind::Number(exactly) => digits && length == exactly,
            Kind::Plain(most) => text.bytes().all(|b| b.is_ascii_alphanumeric()) && length <= most,
            Kind::Text(most) => !text.chars().any(char::is_control) && length <= most,
            Kind::OneOf(words) => words.contains(&text),
            Kind::Moment => digits && length == 14 && moment(text),
            Kind::Date => Day::parse(text).is_some(),
            Kind::Amount => digits && length <= 12 && text.bytes().any(|b| b != b'0'),
        }
    }
}

fn moment(text: &str) -> bool {
    let below = |from: usize, end: u32| {
        text.get(from..from + 2).and_then(|t| t.parse::<u32>().ok()).is_some_and(|n| n < end)
    };
    text.get(..8).and_then(Day::parse).is_some() && below(8, 24) && below(10, 60) && below(12, 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_takes_what_it_says() {
        let table = [
            (Kind::Digits(3), "123", true),
            (Kind::Digits(3), "1234", false),
            (Kind::Digits(3), "12a", false),
            (Kind::Number(3), "12", false),
            (Kind::Number(3), "004", true),
            (Kind::Plain(4), "aB9", true),
            (Kind::Plain(4), "a-9", false),
            (Kind::Plain(2), "가나", false),
            (Kind::Text(3), "홍길동", true),
            (Kind::Text(3), "홍길동님", false),
            (Kind::Text(9), "a\nb", false),
            (Kind::OneOf(&["on", "off"]), "off", true),
            (Kind::OneOf(&["on", "off"]), "ON", false),
            (Kind::Moment, "20261124235959", true),
            (Kind::Moment, "20261124245959", false),
            (Kind::Moment, "20261324000000", false),
            (Kind::Moment, "20261124", false),
            (Kind::Date, "20260230", false),
            (Kind::Amount, "1000", true),
            (Kind::Amount, "0", false),
            (Kind::Amount, "-1", false),
            (Kind::Amount, "1000000000000", false),
        ];
        for (kind, text, good) in table {
            assert_eq!(kind.fits(text), good, "{kind:?} {text}");
        }
    }

    #[test]
    fn a_form_has_its_fields_and_no_other() {
        let fields = [must("a", Kind::Digits(2)), may("b", Kind::Digits(2))];
        let bad = |value| Form::read(value, &fields).map(|_| ()).unwrap_err().0;
        assert_eq!(bad(json!({"b": "1"})), "a");
        assert_eq!(bad(json!({"a": ""})), "a");
        assert_eq!(bad(json!({"a": 1})), "a", "numbers are texts");
        assert_eq!(bad(json!({"a": "1", "b": null})), "b");
        assert_eq!(bad(json!({"a": "1", "c": "1"})), "c?");
        assert_eq!(bad(json!(["a"])), "JSON");
        let form = Form::read(json!({"a": "1", "b": ""}), &fields).unwrap();
        assert_eq!((form.text("a"), form.text("b"), form.text("c")), ("1", "", ""));
    }

    #[test]
    fn a_number_of_a_call_begins_with_the_institution() {
        let fields = [must("id", Kind::Text(99))];
        let table = [
            ("M202112389U00000000Z", true),
            ("M202112389U4BC34239Z", true),
            ("M202112389O000000001", false),
            ("M202112388U000000001", false),
            ("M202112389U00000001", false),
            ("M202112389U0000000001", false),
            ("M202112389U00000000z", false),
        ];
        for (id, good) in table {
            let form = Form::read(json!({"id": id}), &fields).unwrap();
            assert_eq!(form.check_tran_id("id", "M202112389").is_ok(), good, "{id}");
        }
    }
}
