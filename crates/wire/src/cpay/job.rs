//! The jobs: what auth.php is asked to prepare, and the path that each is called at (wire facts 2.2).

use super::{field, method_of};
use crate::json::Fields;
use ichae_domain::billing::Method;
use ichae_domain::code::Code;

/// Partner authentication, before every job.
pub const AUTH_PATH: &str = "/php/auth.php";
/// Registration, look-up and deregistration; `ACT_` says which.
pub const USER_PATH: &str = "/php/cPayUser/api/cPayUserAct.php";
pub const SIMPLE_CARD_PATH: &str = "/php/SimplePayCardAct.php";
pub const SIMPLE_ACCOUNT_PATH: &str = "/php/SimplePayAct.php";
pub const MONTHLY_CARD_PATH: &str = "/php/RePayCardAct.php";
pub const MONTHLY_ACCOUNT_PATH: &str = "/php/RePayAct.php";
pub const REFUND_PATH: &str = "/php/account/api/cPayCAct.php";
pub const CHECK_PATH: &str = "/php/PayChkAct.php";
/// Cash receipts: issue and cancel; `ACT_` says which.
pub const RECEIPT_PATH: &str = "/php/taxsave/api/tsAct.php";

/// What a follow-up call does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Job {
    /// Registers a card without a window.
    AuthReg,
    SimpleCard,
    SimpleAccount,
    MonthlyCard,
    MonthlyAccount,
    Refund,
    PayCheck,
    UserInfo,
    UserDelete,
    ReceiptIssue,
    ReceiptCancel,
}

impl Job {
    pub const ALL: [Job; 11] = [
        Job::AuthReg,
        Job::SimpleCard,
        Job::SimpleAccount,
        Job::MonthlyCard,
        Job::MonthlyAccount,
        Job::Refund,
        Job::PayCheck,
        Job::UserInfo,
        Job::UserDelete,
        Job::ReceiptIssue,
        Job::ReceiptCancel,
    ];

    /// The job that auth.php's flags name. `None` is AUTH0008: windows and links are not served.
    ///
    /// `PCD_PAY_WORK` names a job of its own or what a window does; the flags are looked at beside the
    /// latter, because clients that pay by key send it too.
    pub fn of(fields: &Fields) -> Option<Job> {
        let pay_type = fields.text("PCD_PAY_TYPE").ok()?;
        match fields.text("PCD_PAY_WORK").ok()? {
            Some("AUTHREG") => matches!(pay_type, None | Some("card")).then_some(Job::AuthReg),
            Some("PUSERINFO") => Some(Job::UserInfo),
            Some("PUSERDEL") => Some(Job::UserDelete),
            Some("TSREG") => Some(Job::ReceiptIssue),
            Some("TSCANCEL") => Some(Job::ReceiptCancel),
            None | Some("AUTH" | "PAY" | "CERT") => Job::flagged(fields, pay_type),
            Some(_) => None,
        }
    }

    fn flagged(fields: &Fields, pay_type: Option<&str>) -> Option<Job> {
        let set = |name| field::is_yes(fields, name);
        if set("PCD_PAYCANCEL_FLAG") {
            return Some(Job::Refund);
        }
        if field::is_check(fields) {
            return Some(Job::PayCheck);
        }
        let (simple, monthly) = (set("PCD_SIMPLE_FLAG"), set("PCD_REGULER_FLAG"));
        if !simple && !monthly {
            return None;
        }
        let method = pay_type.map_or(Some(Method::Account), method_of)?;
        Some(Job::pay(method, monthly))
    }

    /// The job of a payment.
    pub fn pay(method: Method, monthly: bool) -> Job {
        match (method, monthly) {
            (Method::Card, false) => Job::SimpleCard,
            (Method::Card, true) => Job::MonthlyCard,
            (Method::Account, false) => Job::SimpleAccount,
            (Method::Account, true) => Job::MonthlyAccount,
        }
    }

    /// What is paid with, and whether once a month; of the four payments only.
    pub fn pays(self) -> Option<(Method, bool)> {
        match self {
            Job::SimpleCard => Some((Method::Card, false)),
            Job::MonthlyCard => Some((Method::Card, true)),
            Job::SimpleAccount => Some((Method::Account, false)),
            Job::MonthlyAccount => Some((Method::Account, true)),
            _ => None,
        }
    }

    /// `PCD_PAY_URL`. Registration's is ours: the documents have none.
    pub fn url(self) -> &'static str {
        match self {
            Job::AuthReg => "/php/cPayUser/api/cPayUserAct.php?ACT_=AUTHREG",
            Job::SimpleCard => "/php/SimplePayCardAct.php?ACT_=PAYM",
            Job::SimpleAccount => "/php/SimplePayAct.php?ACT_=PAYM",
            Job::MonthlyCard => "/php/RePayCardAct.php?ACT_=PAYM",
            Job::MonthlyAccount => "/php/RePayAct.php?ACT_=PAYM",
            Job::Refund => "/php/account/api/cPayCAct.php",
            Job::PayCheck => "/php/PayChkAct.php",
            Job::UserInfo => "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO",
            Job::UserDelete => "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERDEL",
            Job::ReceiptIssue => "/php/taxsave/api/tsAct.php?ACT_=TSREG",
            Job::ReceiptCancel => "/php/taxsave/api/tsAct.php?ACT_=TSCANCEL",
        }
    }

    /// The job that a path is called for. `ACT_` decides only where a path serves more than one: `None`
    /// there is PUIF0003.
    pub fn called(path: &str, act: Option<&str>) -> Option<Job> {
        let serves = |job: &Job| job.path() == path;
        let several = matches!(path, USER_PATH | RECEIPT_PATH);
        Job::ALL.into_iter().filter(serves).find(|job| !several || job.act() == act)
    }

    /// Where it is served, by POST: its URL without the query.
    pub fn path(self) -> &'static str {
        self.split().0
    }

    fn act(self) -> Option<&'static str> {
        self.split().1
    }

    fn split(self) -> (&'static str, Option<&'static str>) {
        let url = self.url();
        url.split_once("?ACT_=").map_or((url, None), |(path, act)| (path, Some(act)))
    }

    /// `PCD_AUTH_KEY` is missing, expired or wrong.
    pub fn session(self) -> Code {
        match self {
            Job::AuthReg => Code::CDAU0001,
            Job::SimpleCard => Code::SPCD0004,
            Job::MonthlyCard => Code::RPCD0006,
            Job::SimpleAccount => Code::SPAY0001,
            Job::MonthlyAccount => Code::CPAY0001,
            Job::Refund => Code::PAYC0002,
            Job::PayCheck => Code::CBIL0002,
            Job::UserInfo | Job::UserDelete => Code::PUIF0002,
            Job::ReceiptIssue | Job::ReceiptCancel => Code::TSAV0002,
        }
    }

    /// `PCD_CST_ID` and `PCD_CUST_KEY` are missing or not a partner's.
    pub fn partner(self) -> Code {
        match self {
            Job::AuthReg => Code::CDAU9991,
            Job::SimpleCard => Code::SPCD9991,
            Job::MonthlyCard => Code::RPCD9991,
            Job::SimpleAccount => Code::SPAY0001,
            Job::MonthlyAccount => Code::CPAY0001,
            Job::Refund => Code::PAYC0002,
            Job::PayCheck => Code::CBIL0001,
            Job::UserInfo | Job::UserDelete => Code::PUIF0002,
            Job::ReceiptIssue | Job::ReceiptCancel => Code::TSAV0002,
        }
    }

    /// A field is not of its form, and has no code of its own.
    pub fn form(self) -> Code {
        match self {
            Job::AuthReg => Code::CDAU9998,
            Job::SimpleCard => Code::SPCD0003,
            Job::MonthlyCard => Code::RPCD9999,
            Job::SimpleAccount => Code::SPAY0019,
            Job::MonthlyAccount => Code::CPAY0012,
            Job::Refund => Code::PAYC0003,
            Job::PayCheck => Code::CBIL0003,
            Job::UserInfo | Job::UserDelete => Code::PUIF0001,
            Job::ReceiptIssue | Job::ReceiptCancel => Code::TSAV0003,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flags: &str) -> Option<Job> {
        let body = format!(r#"{{"cst_id":"test","custKey":"abcd1234567890"{flags}}}"#);
        Job::of(&Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn the_documented_flags_name_the_documented_urls() {
        let table = [
            (
                r#","PCD_PAY_TYPE":"card","PCD_SIMPLE_FLAG":"Y""#,
                "/php/SimplePayCardAct.php?ACT_=PAYM",
            ),
            (r#","PCD_SIMPLE_FLAG":"Y""#, "/php/SimplePayAct.php?ACT_=PAYM"),
            (
                r#","PCD_PAY_TYPE":"transfer","PCD_SIMPLE_FLAG":"Y""#,
                "/php/SimplePayAct.php?ACT_=PAYM",
            ),
            (r#","PCD_PAY_TYPE":"card","PCD_REGULER_FLAG":"Y""#, "/php/RePayCardAct.php?ACT_=PAYM"),
            (r#","PCD_REGULER_FLAG":"Y""#, "/php/RePayAct.php?ACT_=PAYM"),
            (r#","PCD_PAYCANCEL_FLAG":"Y""#, "/php/account/api/cPayCAct.php"),
            (r#","PCD_PAYCHK_FLAG":"Y""#, "/php/PayChkAct.php"),
            (r#","PCD_PAY_WORK":"PUSERINFO""#, "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERINFO"),
            (r#","PCD_PAY_WORK":"PUSERDEL""#, "/php/cPayUser/api/cPayUserAct.php?ACT_=PUSERDEL"),
            (r#","PCD_PAY_WORK":"TSREG""#, "/php/taxsave/api/tsAct.php?ACT_=TSREG"),
            (r#","PCD_PAY_WORK":"TSCANCEL""#, "/php/taxsave/api/tsAct.php?ACT_=TSCANCEL"),
            // Undocumented, or documented by a slip.
            (
                r#","PCD_PAY_TYPE":"card","PCD_PAY_WORK":"AUTHREG""#,
                "/php/cPayUser/api/cPayUserAct.php?ACT_=AUTHREG",
            ),
            (r#","PCD_PAY_WORK":"AUTHREG""#, "/php/cPayUser/api/cPayUserAct.php?ACT_=AUTHREG"),
            (r#","PCD_PAYCHECK_FLAG":"Y""#, "/php/PayChkAct.php"),
        ];
        for (flags, url) in table {
            assert_eq!(of(flags).map(Job::url), Some(url), "{flags}");
        }
    }

    #[test]
    fn what_is_not_served_is_no_job() {
        for flags in [
            "",
            r#","PCD_PAY_TYPE":"card""#,
            r#","PCD_PAY_TYPE":"transfer""#,
            r#","PCD_PAY_WORK":"AUTH""#,
            r#","PCD_PAY_WORK":"PAY","PCD_PAY_TYPE":"card""#,
            r#","PCD_PAY_WORK":"CERT""#,
            r#","PCD_PAY_WORK":"LINKREG""#,
            r#","PCD_PAY_WORK":"LINKREG","PCD_REGULER_FLAG":"Y""#,
            r#","PCD_PAY_WORK":"puserinfo""#,
            r#","PCD_PAY_WORK":["PUSERINFO"]"#,
            r#","PCD_PAY_WORK":"AUTHREG","PCD_PAY_TYPE":"transfer""#,
            r#","PCD_PAY_TYPE":"phone","PCD_SIMPLE_FLAG":"Y""#,
            r#","PCD_PAY_TYPE":"CARD","PCD_SIMPLE_FLAG":"Y""#,
            r#","PCD_PAY_TYPE":1,"PCD_SIMPLE_FLAG":"Y""#,
            r#","PCD_SIMPLE_FLAG":"N""#,
            r#","PCD_SIMPLE_FLAG":"y""#,
            r#","PCD_SIMPLE_FLAG":"Ｙ""#,
            r#","PCD_SIMPLE_FLAG":"Y ""#,
            r#","PCD_SIMPLE_FLAG":true"#,
            r#","PCD_SIMPLE_FLAG":1"#,
            r#","PCD_REGULAR_FLAG":"Y""#,
        ] {
            assert_eq!(of(flags), None, "{flags}");
        }
    }

    #[test]
    fn flags_that_say_nothing_do_not_hide_one_that_does() {
        for (flags, job) in [
            (
                r#","PCD_PAY_WORK":null,"PCD_PAY_TYPE":"","PCD_SIMPLE_FLAG":"N","PCD_REGULER_FLAG":"Y""#,
                Job::MonthlyAccount,
            ),
            (
                r#","PCD_PAY_WORK":"PAY","PCD_PAY_TYPE":"card","PCD_SIMPLE_FLAG":"Y""#,
                Job::SimpleCard,
            ),
            (r#","PCD_PAYCHK_FLAG":"Y","PCD_REGULER_FLAG":"Y""#, Job::PayCheck),
            (r#","PCD_PAYCANCEL_FLAG":"Y","PCD_REGULER_FLAG":"Y""#, Job::Refund),
            (r#","PCD_PAY_WORK":"PUSERDEL","PCD_SIMPLE_FLAG":"Y""#, Job::UserDelete),
        ] {
            assert_eq!(of(flags), Some(job), "{flags}");
        }
    }

    #[test]
    fn every_url_leads_back_to_its_job() {
        let paths = [
            USER_PATH,
            SIMPLE_CARD_PATH,
            SIMPLE_ACCOUNT_PATH,
            MONTHLY_CARD_PATH,
            MONTHLY_ACCOUNT_PATH,
            REFUND_PATH,
            CHECK_PATH,
            RECEIPT_PATH,
        ];
        for job in Job::ALL {
            assert!(paths.contains(&job.path()), "{job:?}");
            assert_eq!(Job::called(job.path(), job.act()), Some(job));
        }
        assert!(paths.iter().all(|path| Job::ALL.iter().any(|job| job.path() == *path)));
        for act in [None, Some(""), Some("PAYM"), Some("puserinfo")] {
            assert_eq!(Job::called(USER_PATH, act), None);
            assert_eq!(Job::called(RECEIPT_PATH, act), None);
            assert_eq!(Job::called(SIMPLE_CARD_PATH, act), Some(Job::SimpleCard));
        }
        assert_eq!(Job::called(AUTH_PATH, None), None);
    }

    #[test]
    fn payments_know_what_they_pay_with() {
        for job in Job::ALL {
            assert!(job.pays().is_none_or(|(method, monthly)| Job::pay(method, monthly) == job));
        }
        assert_eq!(Job::ALL.iter().filter(|job| job.pays().is_some()).count(), 4);
    }
}
