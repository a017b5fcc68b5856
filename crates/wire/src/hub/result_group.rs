//! `/transfer/result/group_key`: what was completed of a group (decision H14).

use super::page::{self, Page};
use super::row::ResultRow;
use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;

/// Where it is served, by POST.
pub const PATH: &str = "/transfer/result/group_key";

/// Asks for a group's results.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = ResultGroupRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// The group, from `/transfer/request`.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    #[serde(flatten)]
    pub page: page::RequestBody,
}

/// What is in the body beside the credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// As it came; whether it is a group is not known yet.
    pub group_key: String,
    pub page: Page,
}

/// L0102, L0130.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let group_key = field::required(fields, "group_key", Code::L0102)?.to_owned();
    Ok(Parsed { group_key, page: page::parse(fields)? })
}

/// A group's results. A group without any is refused with L0121.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ResultGroupResponse)]
pub struct Response {
    /// `A0000`.
    #[schema(example = "A0000")]
    pub result: &'static str,
    /// `처리 성공`.
    #[schema(example = "처리 성공")]
    pub message: &'static str,
    /// The partner id.
    #[schema(example = "test")]
    pub cst_id: String,
    /// The request's group.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    /// What settled, failed or was returned; each row's `result` says which.
    pub res_list: Vec<ResultRow>,
    /// How many rows `res_list` has here.
    #[schema(example = "1")]
    pub res_cnt: String,
    /// What is under way, neither done nor failed.
    pub pending_list: Vec<ResultRow>,
    /// How many rows `pending_list` has here.
    #[schema(example = "0")]
    pub pending_cnt: String,
    /// Sum of the rows in `pending_list`, whole won.
    #[schema(example = "0")]
    pub pending_amt: String,
    /// What to send as `last_key` for the next page; `""` where nothing is left.
    #[schema(example = "")]
    pub last_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, letters};
    use crate::hub::list::{About, ListFrame};
    use crate::hub::row::tests::sample;
    use crate::hub::{MESSAGE, RESULT};
    use ichae_domain::money::Won;

    const SAMPLE: &str = r#"{"cst_id":"test","custKey":"abcd1234567890","group_key":"Q0RSSkYzWUI3...","limit":100,"last_key":"1abc"}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };

    #[test]
    fn a_known_call() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        assert_eq!(read.group_key, "Q0RSSkYzWUI3...");
        assert_eq!(read.page, Page { limit: Some(100), last_key: Some("1abc".into()) });
        let documented = SAMPLE.replace("100,", "\"100\",");
        let documented: RequestBody = serde_json::from_str(&documented).unwrap();
        assert_eq!(documented.group_key, read.group_key);
        assert_eq!(documented.page.last_key, read.page.last_key);
    }

    #[test]
    fn the_pieces_are_the_whole() {
        let whole = Response {
            result: RESULT,
            message: MESSAGE,
            cst_id: "test".into(),
            group_key: "Q0RSSkYzWUI3...".into(),
            res_list: vec![sample()],
            res_cnt: "1".into(),
            pending_list: vec![sample(), sample()],
            pending_cnt: "2".into(),
            pending_amt: "2000".into(),
            last_key: String::new(),
        };
        let mut out = Vec::new();
        let about = About::Group("Q0RSSkYzWUI3...");
        let mut frame = ListFrame::open(&mut out, "test", about).unwrap();
        frame.row(&mut out, &sample()).unwrap();
        let mut frame = frame.pending(&mut out).unwrap();
        frame.row(&mut out, &sample(), Won(1_000)).unwrap();
        frame.row(&mut out, &sample(), Won(1_000)).unwrap();
        frame.close(&mut out, "").unwrap();
        assert_eq!(out, serde_json::to_vec(&whole).unwrap());
    }

    #[test]
    fn bad_input() {
        FORM.missing("group_key", Some(Code::L0102));
        FORM.text("group_key", Code::L0102);
        FORM.all("group_key", None, &[&letters(200), "\"한글\""]);
        FORM.all("limit", Some(Code::L0130), &["0", "{}"]);
        FORM.text("last_key", Code::L0130);
    }
}
