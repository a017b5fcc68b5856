//! `/request/result/group_key`: what still waits in a group (decision H14).

use super::page::{self, Page};
use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;

/// Where it is served, by POST.
pub const PATH: &str = "/request/result/group_key";

/// Asks what waits in a group.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = WaitingRequest)]
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

/// What was requested and neither executed nor cancelled.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = WaitingResponse)]
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
    /// The payouts that wait, in the order of their requests.
    pub res_list: Vec<WaitingRow>,
    /// How many rows `res_list` has here.
    #[schema(example = "1")]
    pub res_cnt: String,
    /// What to send as `last_key` for the next page; `""` where nothing is left.
    #[schema(example = "")]
    pub last_key: String,
}

/// A payout that waits: the fields of its request's answer.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct WaitingRow {
    /// The request's `sub_id`, or `""`.
    #[schema(example = "test12385610")]
    pub sub_id: String,
    /// The request's `distinct_key`, or the one that the server made.
    #[schema(example = "c9z116521650283...")]
    pub distinct_key: String,
    /// The group that it waits in.
    #[schema(example = "Q0RSSkYzWUI3...")]
    pub group_key: String,
    /// The billing key that it pays to.
    #[schema(example = "6fen3g2m-j9hb-...")]
    pub billing_tran_id: String,
    /// The amount, whole won.
    #[schema(example = "1000")]
    pub tran_amt: String,
    /// What will stand on the recipient's statement.
    #[schema(example = "정산테스트")]
    pub print_content: String,
    /// When it was accepted, `yyyyMMddHHmmssSSS` in Seoul.
    #[schema(example = "20211022152040289")]
    pub api_tran_dtm: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::bad_input::{Form, letters};
    use crate::hub::list::{About, ListFrame};
    use crate::hub::{MESSAGE, RESULT};

    const SAMPLE: &str =
        r#"{"cst_id":"test","custKey":"abcd1234567890","group_key":"Q0RSSkYzWUI3..."}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };

    fn row(distinct_key: &str) -> WaitingRow {
        WaitingRow {
            sub_id: "test12385610".into(),
            distinct_key: distinct_key.into(),
            group_key: "Q0RSSkYzWUI3...".into(),
            billing_tran_id: "6fen3g2m-j9hb-...".into(),
            tran_amt: "1000".into(),
            print_content: "정산테스트".into(),
            api_tran_dtm: "20211022152040289".into(),
        }
    }

    fn response(res_list: Vec<WaitingRow>) -> Response {
        Response {
            result: RESULT,
            message: MESSAGE,
            cst_id: "test".into(),
            group_key: "Q0RSSkYzWUI3...".into(),
            res_cnt: res_list.len().to_string(),
            res_list,
            last_key: String::new(),
        }
    }

    #[test]
    fn a_known_call() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(documented.group_key, read.group_key);
        assert_eq!((read.page, documented.page.limit), (Page::default(), None));
    }

    #[test]
    fn the_answer_has_its_fields_in_order() {
        assert_eq!(
            serde_json::to_string(&response(vec![row("k")])).unwrap(),
            r#"{"result":"A0000","message":"처리 성공","cst_id":"test","group_key":"Q0RSSkYzWUI3...","res_list":[{"sub_id":"test12385610","distinct_key":"k","group_key":"Q0RSSkYzWUI3...","billing_tran_id":"6fen3g2m-j9hb-...","tran_amt":"1000","print_content":"정산테스트","api_tran_dtm":"20211022152040289"}],"res_cnt":"1","last_key":""}"#
        );
    }

    #[test]
    fn the_pieces_are_the_whole() {
        for count in 0..3 {
            let rows: Vec<WaitingRow> = (0..count).map(|n| row(&n.to_string())).collect();
            let mut out = Vec::new();
            let about = About::Group("Q0RSSkYzWUI3...");
            let mut frame = ListFrame::open(&mut out, "test", about).unwrap();
            for row in &rows {
                frame.waiting_row(&mut out, row).unwrap();
            }
            frame.close(&mut out, "").unwrap();
            assert_eq!(out, serde_json::to_vec(&response(rows)).unwrap());
        }
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
