//! Table tests of a form: one sample that is good, and what each field is refused with.

use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use serde_json::Value;

/// JSON that is neither text nor a whole number from zero up.
pub const NO_NUMBERS: &[&str] = &["-1", "1.5", "1e3", "true", "false", "[]", "[\"1\"]", "{}"];
/// Text that hides or reorders something, or is half a syllable: controls, bidi marks, what has no
/// width, jamo that nothing pairs (decision H3).
pub const HIDDEN: &[&str] = &[
    r#""a\nb""#,
    r#""a\u0000b""#,
    r#""a\u007fb""#,
    r#""a\u202eb""#,
    r#""a\u2066b""#,
    r#""a\u200bb""#,
    r#""a\ufeffb""#,
    r#""a\u00adb""#,
    r#""\u1100""#,
    r#""\u3164""#,
];
/// Text that is no amount: zero, a zero that leads, signs, points, exponents, spaces, other digits, and
/// more than twelve of them, 2^53 among these (decision H4).
pub const NO_AMOUNTS: &[&str] = &[
    "\"01000\"",
    "\"-1\"",
    "\"+1000\"",
    "\"1000.0\"",
    "\"1,000\"",
    "\"1e3\"",
    "\" 1000\"",
    "\"1000 \"",
    "\"0x3e8\"",
    "\"１０００\"",
    "\"١٠٠٠\"",
    "\"1000000000000\"",
    "1000000000000",
    "\"9007199254740992\"",
    "9007199254740992",
    "18446744073709551616",
];
/// The three ways of not sending a field, as JSON; `None` leaves it out.
pub const MISSING: &[Option<&str>] = &[None, Some("null"), Some("\"\"")];

/// The sample with one field set to a JSON value, or left out.
pub fn with(sample: &str, name: &str, value: Option<&str>) -> Fields {
    let mut body: Value = serde_json::from_str(sample).unwrap();
    match value {
        Some(value) => body[name] = serde_json::from_str(value).unwrap(),
        None => drop(body.as_object_mut().unwrap().remove(name)),
    }
    Fields::parse(body.to_string().as_bytes()).unwrap()
}

/// A parser under test, with its sample.
pub struct Form<T> {
    pub sample: &'static str,
    pub parse: fn(&Fields) -> Result<T, Refusal>,
}

impl<T> Form<T> {
    /// The code that the sample is refused with once `name` is `value`.
    pub fn code(&self, name: &str, value: Option<&str>) -> Option<Code> {
        self.refusal(name, value).map(|refusal| refusal.code)
    }

    /// What the sample is refused with once `name` is `value`.
    pub fn refusal(&self, name: &str, value: Option<&str>) -> Option<Refusal> {
        (self.parse)(&with(self.sample, name, value)).err()
    }

    /// Each of the JSON values of `name` is refused with `code`, and the field is named.
    pub fn named(&self, name: &'static str, code: Code, values: &[&str]) {
        for value in values {
            let refusal = self.refusal(name, Some(value));
            assert_eq!(refusal, Some(Refusal::field(code, name)), "{name}: {value}");
        }
    }

    /// A field that has to be there, and is named where it is not.
    pub fn missed(&self, name: &'static str, code: Code) {
        for value in MISSING {
            let refusal = self.refusal(name, *value);
            assert_eq!(refusal, Some(Refusal::field(code, name)), "{name}: {value:?}");
        }
    }

    /// Each of the JSON values of `name` is refused with `code`, or taken where that is `None`.
    pub fn all(&self, name: &str, code: Option<Code>, values: &[&str]) {
        for value in values {
            assert_eq!(self.code(name, Some(value)), code, "{name}: {value}");
        }
    }

    /// Absent, `null` and `""` are one thing.
    pub fn missing(&self, name: &str, code: Option<Code>) {
        for value in MISSING {
            assert_eq!(self.code(name, *value), code, "{name}: {value:?}");
        }
    }

    /// A field of text: every other JSON type is refused with `code`.
    pub fn text(&self, name: &str, code: Code) {
        self.all(name, Some(code), NO_NUMBERS);
        self.all(name, Some(code), &["0", "1000"]);
    }
}

/// A JSON string of so many letters.
pub fn letters(count: usize) -> String {
    format!("\"{}\"", "x".repeat(count))
}
