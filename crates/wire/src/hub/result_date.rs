//! `/transfer/result/date`: what was completed on a day of the bank's (decision H14).

use super::page::{self, Page};
use super::row::ResultRow;
use super::{credentials, field};
use crate::json::Fields;
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Day;

/// Where it is served, by POST.
pub const PATH: &str = "/transfer/result/date";

/// Asks for a day's results.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[schema(as = ResultDateRequest)]
pub struct RequestBody {
    #[serde(flatten)]
    pub credentials: credentials::RequestBody,
    /// The bank's date of completion, `yyyyMMdd`. A JSON integer is accepted too.
    #[schema(example = "20211025", min_length = 8, max_length = 8, pattern = "^[0-9]{8}$")]
    pub bank_tran_date: String,
    #[serde(flatten)]
    pub page: page::RequestBody,
}

/// What is in the body beside the credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub day: Day,
    pub page: Page,
}

/// L0110, L0130.
pub fn parse(fields: &Fields) -> Result<Parsed, Refusal> {
    let date = field::number(fields, "bank_tran_date", Code::L0110)?;
    let day = date.and_then(|text| Day::parse(&text)).ok_or(Code::L0110)?;
    Ok(Parsed { day, page: page::parse(fields)? })
}

/// A day's results. A day without any is refused with L0120.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ResultDateResponse)]
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
    /// The request's day.
    #[schema(example = "20211025")]
    pub bank_tran_date: String,
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
    use crate::hub::bad_input::{Form, NO_NUMBERS};
    use crate::hub::list::{About, ListFrame};
    use crate::hub::row::tests::sample;
    use crate::hub::{MESSAGE, RESULT};
    use ichae_domain::money::Won;

    const SAMPLE: &str =
        r#"{"cst_id":"test","custKey":"abcd1234567890","bank_tran_date":"20211025"}"#;
    const FORM: Form<Parsed> = Form { sample: SAMPLE, parse };

    #[test]
    fn a_known_call() {
        let read = parse(&Fields::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
        assert_eq!(read, Parsed { day: Day(20_211_025), page: Page::default() });
        let documented: RequestBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(documented.bank_tran_date, "20211025");
    }

    #[test]
    fn the_pieces_are_the_whole() {
        for (done, pending) in [(0, 0), (1, 0), (2, 0), (0, 1), (3, 2)] {
            let whole = Response {
                result: RESULT,
                message: MESSAGE,
                cst_id: "te\"st".into(),
                bank_tran_date: "20211025".into(),
                res_list: vec![sample(); done],
                res_cnt: done.to_string(),
                pending_list: vec![sample(); pending],
                pending_cnt: pending.to_string(),
                pending_amt: (pending * 1_000).to_string(),
                last_key: "1\\2".into(),
            };
            let mut out = Vec::new();
            let about = About::Day(Day(20_211_025));
            let mut frame = ListFrame::open(&mut out, "te\"st", about).unwrap();
            for _ in 0..done {
                frame.row(&mut out, &sample()).unwrap();
            }
            let mut frame = frame.pending(&mut out).unwrap();
            for _ in 0..pending {
                frame.row(&mut out, &sample(), Won(1_000)).unwrap();
            }
            frame.close(&mut out, "1\\2").unwrap();
            assert_eq!(out, serde_json::to_vec(&whole).unwrap());
        }
    }

    #[test]
    fn bad_input() {
        FORM.missing("bank_tran_date", Some(Code::L0110));
        FORM.all("bank_tran_date", Some(Code::L0110), NO_NUMBERS);
        FORM.all(
            "bank_tran_date",
            Some(Code::L0110),
            &["20211325", "\"2021-10-25\"", "\"211025\""],
        );
        FORM.all(
            "bank_tran_date",
            Some(Code::L0110),
            &["\"20230229\"", "\"２０２１１０２５\"", "0"],
        );
        FORM.all("bank_tran_date", None, &["20211025", "\"20240229\""]);
        FORM.all("limit", Some(Code::L0130), &["0", "{}"]);
        FORM.text("last_key", Code::L0130);
    }
}
