//! What the answer of a follow-up call begins with.

use super::failure;
use ichae_domain::refusal::Refusal;

pub const SUCCESS: &str = "success";
pub const ERROR: &str = "error";

/// How a call went.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = CpayHead)]
pub struct Head {
    /// `success` or `error`.
    #[schema(example = "success")]
    pub pcd_pay_rst: &'static str,
    /// The code of the success, or of the refusal: the table of codes says what to do about it.
    #[schema(example = "SPCD0000")]
    pub pcd_pay_code: &'static str,
    /// For people. Of a refusal: `[code] ` before it, and in TEST `[Test] ` before that.
    #[schema(example = "카드결제완료")]
    pub pcd_pay_msg: String,
}

impl Head {
    pub fn done(code: &'static str, message: &str) -> Head {
        Head { pcd_pay_rst: SUCCESS, pcd_pay_code: code, pcd_pay_msg: message.to_owned() }
    }

    pub fn refused(refusal: &Refusal, test: bool) -> Head {
        Head {
            pcd_pay_rst: ERROR,
            pcd_pay_code: refusal.code.name(),
            pcd_pay_msg: failure::message(refusal, test),
        }
    }
}
