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
    T0504 Unknown "저장소가 응답하지 않아 처리 여부를 알 수 없습니다. 같은 요청을 다시 보내주세요." "The store stopped answering while the command was being written; it is not known whether it was done." "Wait as long as `Retry-After` says and repeat the same call, with the same distinct_key or order number.";
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
    AUTH0001 Refused "가맹점 인증에 필요한 cst_id 를 확인해주세요." "cst_id is missing or not 1 to 12 of letters, digits, `_` and `-`." "Send the partner id you were given.";
    AUTH0002 Refused "가맹점 인증에 필요한 custKey 를 확인해주세요." "custKey is missing or longer than 255 characters." "Send the partner key you were given.";
    AUTH0003 Refused "가맹점 계정이 존재하지 않습니다." "No such partner, or the custKey does not match: one answer for both." "Check cst_id and custKey; after a rotation only the new key is good.";
    AUTH0004 Refused "접속하시는 서버의 도메인 확인이 필요합니다." "In LIVE the Referer is not a registered domain of the partner, or the call comes from an address that is not on its list." "Send your registered domain as Referer, or have the operator add it.";
    AUTH0008 Refused "지원하지 않는 작업입니다." "The flags name a job that is not served here: a payment window, a payment link, or none that is known." "Send the flags of a job that is served; see the billing guide.";
    PUIF0001 Refused "등록되지 않은 빌링키입니다." "PCD_PAYER_ID is missing, not a key of this partner, or deregistered: one answer for all." "Register the payer again and use the key that it gives.";
    PUIF0002 Refused "인증세션이 만료되었거나 올바르지 않습니다. 다시 시도해주세요." "PCD_AUTH_KEY is missing, older than 30 minutes, or not of these credentials." "Call /php/auth.php and repeat with its three values.";
    PUIF0003 Refused "요청 작업이 올바르지 않습니다." "The path names no job: ACT_ is missing or unknown." "Call the return_url that /php/auth.php gave.";
    CDAU0001 Refused "인증세션이 만료되었습니다. 다시 시도해주세요." "PCD_AUTH_KEY is missing, older than 30 minutes, or not of these credentials." "Call /php/auth.php and repeat with its three values.";
    CDAU0007 Refused "카드 인증 실패" "The card's issuer refused; the message has its reason and its code." "Have the payer check the card, or take another one.";
    CDAU0009 Busy "카드사가 응답하지 않았습니다. 다시 시도해주세요." "The acquirer did not answer, or none is connected; no key was made." "Repeat the call.";
    CDAU9991 Refused "가맹점 인증키 불일치" "PCD_CST_ID and PCD_CUST_KEY are not a partner's." "Send the three values that /php/auth.php gave.";
    CDAU9998 Refused "카드 등록 실패 : 잘못된 접근입니다.!!" "The partner is suspended, or a name, phone or e-mail field is not of its form; the message names it." "Mend the named field, or ask the hub's operator.";
    CDAUCK01 Refused "PCD_PAY_TYPE ERROR" "PCD_PAY_TYPE is not card." "Send card.";
    CDAUCK02 Refused "PCD_PAY_WORK ERROR" "PCD_PAY_WORK is not AUTHREG." "Send AUTHREG.";
    CDAUCK03 Refused "PCD_PAYER_BIRTH ERROR" "PCD_PAYER_BIRTH is neither six digits of a birth date nor ten of a business number." "Send YYMMDD or the business number.";
    CDAUCK04 Refused "PCD_PAY_CARDNUM ERROR" "PCD_PAY_CARDNUM is not 13 to 16 digits." "Send the card number without dashes.";
    CDAUCK05 Refused "PCD_PAY_CARDEXYEAR, PCD_PAY_CARDEXMONTH ERROR" "The expiry is not two digits each of a year and a month, or has passed." "Send YY and MM as they stand on the card.";
    CDAUCK06 Refused "PCD_PAY_CARDPW ERROR" "PCD_PAY_CARDPW is not two digits." "Send the first two digits of the card's password.";
    SPCD0001 Refused "결제용 KEY 값이 존재하지 않습니다." "PCD_PAYER_ID is missing." "Send the payer's billing key.";
    SPCD0002 Refused "결제가능 최저금액은 100원 입니다." "PCD_PAY_TOTAL is below 100 won." "Charge at least 100 won.";
    SPCD0003 Refused "결제 진행 중 오류가 발생하였습니다. 다시 시도해주세요." "A field of the payment is not of its form; the message names it." "Mend the named field.";
    SPCD0004 Refused "인증세션이 만료되었습니다. 다시 시도해주세요." "PCD_AUTH_KEY is missing, older than 30 minutes, or not of these credentials." "Call /php/auth.php and repeat with its three values.";
    SPCD0007 Refused "카드서비스 이용 불가" "The partner is suspended, or no acquirer is connected." "Ask the hub's operator.";
    SPCD0012 Refused "결제 진행 중 오류가 발생하였습니다. 상점에 문의해주세요." "PCD_PAYER_ID is not a card key of this partner, or is deregistered." "Register the card again.";
    SPCD0014 Refused "이미 처리된 거래입니다. 다시 시도해주세요." "The order number was used before: done, or under way." "Ask what became of it with the payment look-up; nothing was charged twice.";
    SPCD1001 Refused "결제 진행 중 오류가 발생하였습니다. 다시 시도해주세요." "The card company refused; the message has its code and its reason." "See the institution's reason; the order number may be used again.";
    SPCD9991 Refused "가맹점 인증에 필요한 custKey 를 확인해주세요." "PCD_CST_ID and PCD_CUST_KEY are not a partner's." "Send the three values that /php/auth.php gave.";
    RPCD0001 Refused "결제 진행 중 오류가 발생하였습니다. 다시 시도해주세요." "PCD_PAYER_ID is missing." "Send the payer's billing key.";
    RPCD0002 Refused "결제가능 최저금액은 100원 입니다." "PCD_PAY_TOTAL is below 100 won." "Charge at least 100 won.";
    RPCD0003 Refused "결제상품명이 존재하지 않습니다." "PCD_PAY_GOODS is missing." "Say what is paid for.";
    RPCD0004 Refused "정기결제 년도(YYYY) 오류" "PCD_PAY_YEAR is not four digits of a year." "Send the year that the payment is for.";
    RPCD0005 Refused "정기결제 월(MM) 오류" "PCD_PAY_MONTH is not a month." "Send the month that the payment is for.";
    RPCD0006 Refused "인증세션이 만료되었습니다. 다시 시도해주세요." "PCD_AUTH_KEY is missing, older than 30 minutes, or not of these credentials." "Call /php/auth.php and repeat with its three values.";
    RPCD0007 Refused "카드정기결제서비스 이용 불가" "The partner is suspended, or no acquirer is connected." "Ask the hub's operator.";
    RPCD0012 Refused "카드 인증정보를 찾을 수 없습니다." "PCD_PAYER_ID is not a card key of this partner, or is deregistered." "Register the card again.";
    RPCD0015 Refused "이미 처리된 거래입니다. 다시 시도해주세요." "The order number, or this key's payment for this month, was used before: done, or under way." "Ask what became of it with the payment look-up; nothing was charged twice.";
    RPCD1001 Refused "카드승인 요청 실패!!" "The card company refused; the message has its code and its reason." "See the institution's reason; the order number may be used again.";
    RPCD9991 Refused "가맹점 인증키 불일치" "PCD_CST_ID and PCD_CUST_KEY are not a partner's." "Send the three values that /php/auth.php gave.";
    RPCD9999 Refused "정기결제 카드결제 실패 : 결제자 정보를 바르게 입력하세요!!" "A field of the payment is not of its form; the message names it." "Mend the named field.";
    SPAY0001 Refused "인증실패 : MEM INFO ERROR" "PCD_AUTH_KEY or the credentials are missing, wrong or older than 30 minutes." "Call /php/auth.php and repeat with its three values.";
    SPAY0005 Refused "등록된 계좌정보를 찾을 수 없습니다." "PCD_PAYER_ID is missing, not an account key of this partner, or deregistered." "Register the account again.";
    SPAY0011 Unknown "출금이체 결과 미수신!! [시스템관리자에게 문의하세요~]" "The acquirer has not said whether it took the money; the hub asks until it does." "Wait for the webhook or use the payment look-up; do not take another order number.";
    SPAY0012 Refused "출금이체 실패!!" "The bank refused; the message has its code and its reason." "See the institution's reason; the order number may be used again.";
    SPAY0019 Refused "간편결제 출금이체 실패 : 잘못된 접근입니다.!!" "A field of the payment is not of its form, the partner is suspended, or no acquirer is connected; the message says which." "Mend the named field, or ask the hub's operator.";
    CPAY0001 Refused "출금이체 MEM ERROR!!" "PCD_AUTH_KEY or the credentials are missing, wrong or older than 30 minutes." "Call /php/auth.php and repeat with its three values.";
    CPAY0004 Refused "정기결제 대상자 정보 없음!!" "PCD_PAYER_ID is missing, not an account key of this partner, or deregistered." "Register the account again.";
    CPAY0012 Refused "결제정보를 다시 입력해주세요." "A field of the payment is not of its form, the partner is suspended, or no acquirer is connected; the message says which." "Mend the named field, or ask the hub's operator.";
    CPAY0018 Unknown "출금이체 결과 미수신!! [시스템관리자에게 문의하세요~]" "The acquirer has not said whether it took the money; the hub asks until it does." "Wait for the webhook or use the payment look-up; do not take another order number.";
    CPAY0022 Refused "출금이체 실패!!" "The bank refused; the message has its code and its reason." "See the institution's reason; the order number may be used again.";
    CPAY0202 Refused "이미 존재하는 거래입니다. 다시 시도해주세요." "The order number, or this key's payment for this month, was used before: done, or under way." "Ask what became of it with the payment look-up; nothing was charged twice.";
    PAYU0001 Unknown "결제 결과를 확인하고 있습니다." "The acquirer has not said whether it captured the payment; the hub asks until it does." "Wait for the webhook or use the payment look-up; do not take another order number.";
    PAYU0002 Refused "결제가능 최저금액은 1,000원 입니다." "PCD_PAY_TOTAL is below 1,000 won." "Take at least 1,000 won from an account.";
    PAYC0001 Refused "환불(취소)용 KEY 값이 올바르지 않습니다." "PCD_REFUND_KEY is missing or not this partner's." "Send the refund key you were given.";
    PAYC0002 Refused "인증세션이 만료되었거나 올바르지 않습니다. 다시 시도해주세요." "PCD_AUTH_KEY or the credentials are missing, wrong or older than 30 minutes." "Call /php/auth.php and repeat with its three values.";
    PAYC0003 Refused "환불 요청 값이 올바르지 않습니다." "A field of the refund is not of its form; the message names it." "Mend the named field.";
    PAYC0004 Refused "원거래건이 존재하지 않습니다." "No captured payment of this partner has this order number and date." "Send PCD_PAY_OID and PCD_PAY_DATE of the payment.";
    PAYC0005 Refused "부분취소 가능 금액 초과 오류입니다." "More than is left of the payment." "Refund at most what is left.";
    PAYC0006 Refused "이미 취소된 거래건 입니다." "All of the payment was refunded, or a refund of the rest is under way." "Nothing; use the payment look-up.";
    PAYC0007 Refused "정산 예정 금액이 부족하여 환불할 수 없습니다." "What is captured and what is available together do not cover the refund." "Fund the partner, or wait for further payments.";
    PAYC0008 Refused "환불실패" "The institution refused the refund; the message has its code and its reason." "See the institution's reason.";
    PAYC0009 Unknown "환불 결과를 확인하고 있습니다." "The acquirer has not said whether it refunded; the amount stays put until it does." "Use the payment look-up: PCD_REFUND_TOTAL rises once it is done; do not repeat it.";
    PAYC0010 Refused "환불 서비스 이용 불가" "The partner is suspended, or no acquirer is connected." "Ask the hub's operator.";
    CBIL0001 Refused "Wrong access attempt" "The credentials are not a partner's, or PCD_PAYCHK_FLAG is not Y." "Send the three values that /php/auth.php gave, and the flag.";
    CBIL0002 Refused "인증세션이 만료되었습니다. 다시 시도해주세요." "PCD_AUTH_KEY is missing, older than 30 minutes, or not of these credentials." "Call /php/auth.php and repeat with its three values.";
    CBIL0003 Refused "결제내역이 존재하지 않습니다. 다시 시도해주세요." "No payment of this partner has this type, order number and date." "Send PCD_PAY_TYPE, PCD_PAY_OID and PCD_PAY_DATE of the payment.";
    TSAV0002 Refused "인증세션이 만료되었거나 올바르지 않습니다. 다시 시도해주세요." "PCD_AUTH_KEY or the credentials are missing, wrong or older than 30 minutes." "Call /php/auth.php and repeat with its three values.";
    TSAV0003 Refused "현금영수증 요청 값이 올바르지 않습니다." "A field of the call is not of its form; the message names it." "Mend the named field.";
    TSAV0004 Refused "현금영수증 대상 거래가 존재하지 않습니다." "No captured payment from an account of this partner has this key and order number." "Send PCD_PAYER_ID and PCD_PAY_OID of the payment.";
    TSAV0005 Refused "이미 발행된 현금영수증이 있거나 처리 중입니다." "The payment has a cash receipt, or one is being asked for." "Cancel it first.";
    TSAV0006 Refused "취소할 현금영수증이 없습니다." "The payment has no cash receipt." "Nothing.";
    TSAV0008 Refused "현금영수증 처리 실패" "The institution refused; the message has its code and its reason." "See the institution's reason.";
    TSAV0009 Unknown "현금영수증 결과를 확인하고 있습니다." "It is not known whether the receipt was issued or canceled; the hub asks until it is." "Repeat the call later.";
    TSAV0010 Refused "현금영수증 서비스 이용 불가" "The partner is suspended, or no acquirer is connected." "Ask the hub's operator.";
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
    P0140 Refused "등록되지 않았거나 이미 해지된 빌링키입니다." "No payer's key has this id or number, or it was deregistered." "See `ichae billing list`.";
    P0141 Refused "이미 등록된 빌링키 ID입니다." "The PCD_PAYER_ID that is brought along is in use." "Check whether the key was brought along before.";
    P0142 Refused "카드 또는 계좌 정보가 올바르지 않습니다." "A detail of the card or account is not of its form, or the acquirer refused it; the message names it." "Mend the named detail.";
    P0143 Refused "등록되지 않은 거래이거나 결과가 이미 확정되었습니다." "No call to the acquirer has this reference, or what became of it is known." "See `ichae billing unknown`.";
    P0150 Refused "다른 노드가 이 저장소에서 실행 중이라 키를 교체할 수 없습니다." "Other nodes work on this store and would not have the new keys." "Stop them, rotate, copy the key folder to them, and start them again.";
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

    /// Their documented text is English.
    const AS_DOCUMENTED: &[Code] = &[
        Code::CDAUCK01,
        Code::CDAUCK02,
        Code::CDAUCK03,
        Code::CDAUCK04,
        Code::CDAUCK05,
        Code::CDAUCK06,
        Code::CBIL0001,
    ];

    #[test]
    fn every_code_has_both_texts_and_its_own_name() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.code as usize, at, "{}", entry.name);
            assert_eq!(Code::find(entry.name), Some(entry.code));
            let korean = entry.ko.chars().any(|c| ('가'..='힣').contains(&c));
            assert!(korean != AS_DOCUMENTED.contains(&entry.code), "{}", entry.name);
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
