//! Paging of a list: `limit` and `last_key`, both ours and both optional (decision H14).

use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;

/// Most rows that one page may name.
pub const LIMIT_MAX: u32 = 1_000;
/// A `last_key` is an `api_tran_id`, `aNS(40)`.
const LAST_KEY_MAX: usize = 40;

/// The paging fields, which every list takes.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = Page)]
pub struct RequestBody {
    /// Most rows to answer, `1` to `1000`; all of them where it is absent. A JSON integer is
    /// accepted too.
    #[schema(example = "100", pattern = "^([1-9][0-9]{0,2}|1000)$")]
    pub limit: Option<String>,
    /// The `last_key` of the page before; absent for the first page.
    #[schema(example = "", max_length = 40)]
    pub last_key: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// 1 to [`LIMIT_MAX`] rows; `None` for all.
    pub limit: Option<u32>,
    /// As it came; whether it names a row is not known yet.
    pub last_key: Option<String>,
}

/// L0130 with the field's name where one is not of its form.
pub fn parse(fields: &Fields) -> Result<Page, Refusal> {
    let wrong = |name| Refusal::field(Code::L0130, name);
    let limit = match fields.number("limit").map_err(|_| wrong("limit"))? {
        Some(text) => Some(rows(&text).ok_or_else(|| wrong("limit"))?),
        None => None,
    };
    let last_key = fields.text("last_key").map_err(|_| wrong("last_key"))?;
    if last_key.is_some_and(|key| key.len() > LAST_KEY_MAX) {
        return Err(wrong("last_key"));
    }
    Ok(Page { limit, last_key: last_key.map(str::to_owned) })
}

fn rows(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|rows| plain && (1..=LIMIT_MAX).contains(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, NO_NUMBERS, letters};

    const FORM: Form<Page> = Form { sample: r#"{"limit":"100","last_key":"1abc"}"#, parse };

    #[test]
    fn bad_input() {
        FORM.missing("limit", None);
        FORM.all("limit", None, &["1", "1000", "\"1\"", "\"1000\""]);
        FORM.all("limit", Some(Code::L0130), NO_NUMBERS);
        FORM.all(
            "limit",
            Some(Code::L0130),
            &["0", "1001", "\"0\"", "\"1001\"", "\"01\"", "\"+1\""],
        );
        FORM.all("limit", Some(Code::L0130), &["\"x\"", "\"１０\"", "\" 1\"", "99999999999999"]);
        FORM.missing("last_key", None);
        FORM.text("last_key", Code::L0130);
        FORM.all("last_key", None, &[&letters(40)]);
        FORM.all("last_key", Some(Code::L0130), &[&letters(41)]);
    }

    #[test]
    fn the_refusal_names_the_field() {
        for (body, name) in [(r#"{"limit":0}"#, "limit"), (r#"{"last_key":0}"#, "last_key")] {
            let refusal = parse(&Fields::parse(body.as_bytes()).unwrap()).unwrap_err();
            assert_eq!(refusal, Refusal::field(Code::L0130, name));
        }
    }
}
