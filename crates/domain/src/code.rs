//! The code table: every answer code, once. Docs, OpenAPI, `ichae explain` and the API read it here.
//!
//! Wire facts where the public documents have them, ours elsewhere (decisions, "Codes (Hub)").

/// What a code says about the command that got it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// It was done.
    Ok,
    /// It was refused for good: the same call again gets the same answer. Nothing was written.
    Refused,
    /// Nothing was written and nothing is wrong with the call: repeat it later.
    Busy,
    /// Not decided yet, or not known: ask, or repeat with the same `distinct_key`.
    Unknown,
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    pub code: Code,
    /// As the wire shows it.
    pub name: &'static str,
    pub class: Class,
    /// The wire's `message`.
    pub ko: &'static str,
    /// For docs and SDKs.
    pub en: &'static str,
    /// What the caller should do.
    pub action: &'static str,
}

macro_rules! codes {
    ($($name:ident $class:ident $ko:literal $en:literal $action:literal;)*) => {
        /// An answer code, named as on the wire.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        pub enum Code { $($name,)* }

        /// The whole table, in the order of the documents.
        pub const TABLE: &[Entry] = &[$(Entry {
            code: Code::$name, name: stringify!($name), class: Class::$class,
            ko: $ko, en: $en, action: $action,
        },)*];
    };
}

codes! {
    T0000 Ok "처리 성공" "The token was issued." "Send it as `Authorization: Bearer …` within 60 seconds.";
    A0000 Ok "처리 성공" "Done." "Nothing.";
    T0200 Refused "인증요청 거부 - cst_id 값이 존재하지 않습니다." "cst_id is missing or not 1 to 12 of letters, digits, `_` and `-`." "Send the partner id you were given.";
    T0201 Refused "인증요청 거부 - custKey 값이 존재하지 않습니다." "custKey is missing or longer than 255 characters." "Send the partner key you were given.";
    T0210 Refused "인증요청 거부 - code 값이 존재하지 않습니다." "code is missing." "Send ten letters and digits of your choice; they come back in the answer.";
    T0211 Refused "인증요청 거부 - code 영문자+숫자 10자리" "code is not exactly ten ASCII letters and digits." "Send exactly ten letters and digits.";
    T0300 Refused "인증요청 거부 - 사용자 불일치" "No such partner, or the custKey does not match: one answer for both." "Check cst_id and custKey; after a rotation only the new key is good.";
    T0310 Refused "인증요청 거부 - 등록된 WHITE IP 아닙니다." "The call comes from an address that is not on the partner's list." "Call from a registered address, or have this one added.";
    T0320 Refused "토큰 사용자 불일치 - T/B" "The token belongs to another partner than the body's cst_id." "Use the token that was issued to this cst_id.";
    T0330 Refused "토큰이 없거나 읽을 수 없습니다." "The bearer token is missing or cannot be read." "Send `Authorization: Bearer ` and the token from /oauth/token.";
    T0331 Refused "토큰이 만료되었습니다." "The token is older than 60 seconds, or the partner's key was rotated since." "Fetch a new token and repeat the call.";
    T0340 Refused "이용이 정지된 파트너입니다." "The partner is suspended: it can look up, but not request or execute." "Ask the hub's operator; what was executed before goes on.";
    T0400 Refused "요청을 읽을 수 없습니다." "The request cannot be read: not JSON, not UTF-8, a key twice, nested too deep, too large, too slow, or no such path." "Mend the request as the HTTP status says.";
    T0429 Busy "요청이 너무 많습니다. 잠시 후 다시 시도해주세요." "Too many requests." "Wait as long as `Retry-After` says and repeat.";
    T0503 Busy "일시적으로 처리할 수 없습니다. 잠시 후 다시 시도해주세요." "Busy, draining or out of room; nothing was written." "Wait as long as `Retry-After` says and repeat.";
    T0996 Busy "서비스 이용 가능 시간이 아닙니다." "Outside the bank's service hours, for a call that cannot wait for them." "Repeat inside the service hours.";
    T0999 Unknown "내부 오류가 발생했습니다. 같은 distinct_key로 다시 시도해주세요." "An internal fault; it is not known whether the command was done." "Repeat with the same distinct_key; give the reference to the operator.";
    N0101 Refused "기관코드가 올바르지 않습니다." "bank_code_std is missing or not a bank that can receive." "Send the three digits of the bank.";
    N0102 Refused "계좌번호가 올바르지 않습니다." "account_num is missing or not 1 to 16 digits." "Send the account number without dashes.";
    N0110 Refused "예금주 정보 구분값이 올바르지 않습니다." "account_holder_info_type is neither 0 nor 6." "Send 0 for a birth date, 6 for a business number.";
    N0112 Refused "예금주 정보 값이 존재하지 않습니다." "account_holder_info is missing." "Send the birth date or the business number.";
    N0120 Refused "생년월일 6자리가 올바르지 않습니다." "The birth date is not six digits YYMMDD of a real date." "Send YYMMDD.";
    N0130 Refused "사업자등록번호 10자리가 올바르지 않습니다." "The business number is not exactly ten digits." "Send the ten digits without dashes.";
    N0198 Refused "계좌가 존재하지 않거나 예금주 정보와 일치하지 않습니다." "The account does not exist or does not match, and the bank gave no code of its own." "Check bank, account number and holder info.";
    A0001 Unknown "처리 중" "The payout is still under way; it is neither done nor failed." "Wait for the webhook or ask again later.";
    A0007 Unknown "은행이 계좌 확인에 응답하지 않았습니다. 다시 시도해주세요." "The bank did not answer the account check; no key was made." "Ask again.";
    R0101 Refused "billing_tran_id 값이 존재하지 않습니다." "billing_tran_id is missing." "Send the key from /inquiry/real_name.";
    R0102 Refused "등록되지 않은 빌링키입니다." "billing_tran_id is not a key of this partner." "Verify the account and use the key it gives.";
    R0103 Refused "사용할 수 없는 빌링키입니다." "The billing key is dead; the message says which bank code killed it." "Verify the account again and use the new key.";
    R0110 Refused "지급이체금액이 올바르지 않습니다." "tran_amt is not 1 to 12 digits without sign, point or leading zero, at least 1." "Send whole won as digits.";
    R0112 Refused "테스트 환경의 지급이체금액은 1000원이어야 합니다." "In TEST tran_amt must be 1000." "Send 1000, or start the sandbox with --any-amount.";
    R0113 Refused "건당 지급이체 한도를 초과했습니다." "tran_amt is over the partner's cap for one transfer." "Send less, or have the cap raised.";
    R0120 Refused "입금계좌인자내역이 올바르지 않습니다." "print_content is more than six of letters, digits and Hangul, or has another character." "Send at most six; it is never cut for you.";
    R0130 Refused "sub_id 값이 올바르지 않습니다." "sub_id is not 1 to 64 of letters, digits, `.`, `_` and `-`." "Send another sub_id.";
    R0131 Refused "distinct_key 값이 올바르지 않습니다." "distinct_key is not 1 to 64 of letters, digits, `.`, `_` and `-`." "Send another distinct_key.";
    R0132 Refused "이미 사용된 distinct_key입니다." "distinct_key was used before with the same content; the first request stands and is described in the answer." "Take the first request's fields; nothing was held twice.";
    R0133 Refused "이미 다른 내용으로 사용된 distinct_key입니다." "distinct_key was used before with different content; the message names the field." "Use a new distinct_key for a new payout.";
    R0140 Refused "지급이체 한도잔여금액이 부족합니다." "The amount is over the remaining limit." "Fund the partner, or request less.";
    E0101 Refused "group_key가 없거나 등록되지 않은 값입니다." "group_key is missing or not a group of this partner." "Send the group_key from /transfer/request.";
    E0102 Refused "billing_tran_id가 없거나 그룹에 없는 값입니다." "billing_tran_id is missing or has no request in this group." "Send a key of the group, or ALL.";
    E0110 Refused "execute_type은 NOW 또는 CANCEL이어야 합니다." "execute_type is neither NOW nor CANCEL." "Send NOW or CANCEL.";
    E0120 Refused "webhook_url이 필요하거나 올바르지 않습니다." "In TEST, NOW needs a webhook_url where the partner has none registered; or the address is not allowed." "Send an http or https address of yours.";
    E0130 Refused "실행 또는 취소할 대기 건이 없습니다." "Nothing waits there; the answer counts what the call named by state." "If it was executed already, take it as done.";
    L0101 Refused "api_tran_id가 없거나 등록되지 않은 값입니다." "api_tran_id is missing or not a transfer of this partner." "Send the api_tran_id of a webhook or a result.";
    L0102 Refused "group_key가 없거나 등록되지 않은 값입니다." "group_key is missing or not a group of this partner." "Send the group_key from /transfer/request.";
    L0110 Refused "bank_tran_date 형식이 올바르지 않습니다." "bank_tran_date is not eight digits of a real date." "Send yyyymmdd.";
    L0120 Refused "해당 일자에 완료된 지급이체가 없습니다." "No transfer was completed that day." "Nothing, or ask for another day.";
    L0121 Refused "조회된 내역이 없습니다." "There is nothing to list." "Nothing.";
    L0130 Refused "limit 또는 last_key가 올바르지 않습니다." "limit is not 1 to 1000, or last_key is not one that a list gave." "Send the last_key of the page before.";
    A0009 Refused "API 세부업무 처리실패" "The bank refused; the message has its reason and its code." "See the bank's code; seven of them end the billing key.";
    A0998 Refused "입금 반환" "Settled earlier, now returned by the bank; the amount is back." "Ask the recipient for an account that can receive.";
    P0101 Refused "등록되지 않은 파트너입니다." "No partner has this id." "See `ichae partner list`.";
    P0102 Refused "이미 등록된 파트너 ID입니다." "A partner has this id already." "Choose another id.";
    P0103 Refused "파트너 정보 형식이 올바르지 않습니다." "A setting of the partner is not of its form; the message names it." "Mend the named setting.";
    P0110 Refused "이미 다른 금액으로 사용된 입금 참조번호입니다." "The reference was used before with another amount." "Use a new reference for new money.";
    P0111 Refused "회수할 수 있는 금액을 초과했습니다." "More than is available: what is held or under way cannot be taken back." "Take back less.";
    P0120 Refused "운영자의 서명이 필요합니다." "This hub has operators: what changes something must be signed by one of them." "Repeat with --key and your operator's key file.";
    P0121 Refused "운영자의 서명을 확인할 수 없습니다." "The signature is not one of a known operator who may sign." "Use your own key file; see `ichae operator list`.";
    P0122 Refused "이미 사용되었거나 유효하지 않은 시각의 서명입니다." "The signature names a moment that was used before, or that is not now." "Give the command again.";
    P0123 Refused "이미 사용된 운영자 이름입니다." "An operator has or had this name." "Choose another name: names stay with what they signed.";
    P0124 Refused "운영자 이름 또는 공개키 형식이 올바르지 않습니다." "The name is not 1 to 32 of letters, digits, `.`, `_` and `-`, or the key is no Ed25519 public key." "Mend the name, or make the key with `ichae operator key`.";
    P0130 Refused "등록되지 않은 지급이체입니다." "No payout has this id." "Give its api_tran_id, its bank_tran_id, or its number.";
    P0131 Refused "현재 상태에서는 처리할 수 없습니다." "The payout is not in a state in which this can be done." "See `ichae payout explain`.";
    P0132 Refused "등록되지 않았거나 이미 처리된 제안입니다." "No open proposal has this number, or it says something else by now." "See `ichae proposal list`.";
    P0133 Refused "제안한 운영자는 승인할 수 없습니다." "Who proposed it cannot approve it." "Ask another operator to approve it.";
    P0134 Refused "증빙이 필요합니다." "Evidence is missing or is not 1 to 200 characters." "Say where another person finds the proof, for example the statement and its line.";
    P0135 Refused "영업일 마감 전에는 실패로 처리할 수 없습니다." "Not before the business day has closed: the bank may still pay it." "Wait for the next business day and its statement.";
    P0136 Refused "미수 잔액을 초과했습니다." "More than the partner owes in suspense, or than it has available." "See `ichae partner show`.";
    P0137 Refused "서명할 수 있는 마지막 운영자는 해지할 수 없습니다." "The last operator who may sign cannot be revoked." "Add another operator first.";
    W0101 Refused "등록되지 않은 웹훅입니다." "No webhook has this id." "See `ichae webhook list`.";
}

impl Code {
    pub fn entry(self) -> &'static Entry {
        // The table is written by the same macro as the enum, row for row.
        &TABLE[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The code of that name, in any case.
    pub fn find(name: &str) -> Option<Code> {
        TABLE.iter().find(|e| e.name.eq_ignore_ascii_case(name)).map(|e| e.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_both_texts_and_its_own_name() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.code as usize, at, "{}", entry.name);
            assert_eq!(Code::find(entry.name), Some(entry.code));
            assert!(entry.ko.chars().any(|c| ('가'..='힣').contains(&c)), "{}", entry.name);
            assert!(entry.en.is_ascii() || entry.en.contains('…'), "{}", entry.name);
            assert!(entry.en.ends_with('.') && entry.action.ends_with('.'), "{}", entry.name);
            assert!(!entry.action.is_empty());
        }
    }

    #[test]
    fn the_load_bearing_text_is_exact() {
        assert_eq!(Code::T0000.entry().ko, "처리 성공");
        assert_eq!(Code::A0000.entry().ko, "처리 성공");
        assert_eq!(Code::A0009.entry().ko, "API 세부업무 처리실패");
    }
}
