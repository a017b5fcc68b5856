//! `rsp_code`: what the centre itself says of a call (openbanking 8), read as a deposit's answer.
//!
//! Only what provably never reached a bank is Refused, OwnSide or NotSent (openbanking 7.1);
//! everything else, listed or not, is Unknown.

use super::{BankClass, BankCode, BankEntry};

const fn centre(letter: u8, digits: u16) -> BankCode {
    match BankCode::centre(letter, digits) {
        Some(code) => code,
        None => panic!("not a letter and four digits of the centre"),
    }
}

macro_rules! rsp_codes {
    ($($letter:ident $digits:literal $class:ident $ko:literal $en:literal;)*) => {
        /// Every code that we know, ascending. None ends a key, and none is final in an inquiry: it
        /// may speak of the inquiry instead of the transfer.
        pub const RSP_TABLE: &[BankEntry] = &[$(BankEntry {
            code: centre(stringify!($letter).as_bytes()[0], $digits), class: BankClass::$class,
            kills_key: false, final_in_inquiry: false, ko: $ko, en: $en,
        },)*];
    };
}

rsp_codes! {
    A 0 Settled "처리 성공" "done, where the item says so too";
    A 1 Unknown "처리 중" "being processed: an inquiry tells";
    A 2 Unknown "참가기관 오류" "the bank's code tells";
    A 3 Unknown "내부 처리 오류" "the centre had an internal error";
    A 4 OwnSide "요청 전문 형식 오류" "the request's form was refused";
    A 5 OwnSide "등록 정보 오류" "our registered data are wrong";
    A 6 Unknown "전문 변환 오류" "the centre could not convert the message";
    A 7 Unknown "처리시간 초과" "the centre's time was exceeded";
    A 8 Unknown "거래 중복" "the transaction was seen before";
    A 9 Unknown "세부업무 처리 실패" "the item's code tells";
    A 10 OwnSide "앱 검증 실패" "the check of our application failed";
    A 11 OwnSide "API 사용 권한 없음" "we may not use this API";
    A 12 OwnSide "API 정보 조회 실패" "our API data could not be read";
    A 13 OwnSide "이용기관 서비스 불가" "our institution's service is not available";
    A 14 Unknown "탈퇴 회원" "the member has left";
    A 15 Unknown "시뮬레이터 응답 미등록" "the test bed has no answer registered";
    A 16 Unknown "내부 전문 송신 실패" "the centre could not send its message";
    A 17 Unknown "참가기관 응답시간 초과" "the bank did not answer the centre in time";
    A 18 Unknown "거래내역 없음" "no history";
    A 19 Unknown "탈퇴 진행 중" "the member is leaving";
    A 20 Unknown "조회 가능 시간 아님" "outside the hours of inquiries";
    A 21 Unknown "센터 지정 안내" "a text that the centre wants shown";
    A 101 OwnSide "이용기관 일 한도 초과" "over our institution's limit for the day";
    A 102 OwnSide "이용기관 월 한도 초과" "over our institution's limit for the month";
    A 103 OwnSide "출금 일 한도 초과" "over our withdrawal limit for the day";
    A 104 OwnSide "출금 월 한도 초과" "over our withdrawal limit for the month";
    A 105 OwnSide "건당 한도 초과" "over a limit for one transfer";
    A 106 OwnSide "건당 입금 한도 초과" "over our deposit limit for one transfer";
    A 111 Unknown "이용자 건당 한도 초과" "over the user's limit for one transfer";
    A 112 Unknown "이용자 일 한도 초과" "over the user's limit for the day";
    A 301 OwnSide "접근 권한 없음" "no access";
    A 302 OwnSide "참가기관 권한 없음" "no right at the bank";
    A 303 OwnSide "수수료 정책 없음" "no fee policy";
    A 304 Refused "핀테크이용번호 불일치" "the fintech number does not match";
    A 305 Refused "동의 정보 없음" "a consent is missing";
    A 306 Refused "동의 기간 만료" "a consent has expired";
    A 307 OwnSide "입금이체용 암호문구 불일치" "our pass phrase does not match";
    A 308 OwnSide "대행 수수료 할인정보 미등록" "the agency's discount is not registered";
    A 309 OwnSide "수수료 정보 없음" "no fee data";
    A 310 Unknown "이체내역 없음" "no transfer history";
    A 311 OwnSide "대행 수수료 정보 미등록" "the agency's fee is not registered";
    A 312 Refused "수취인 성명 불일치" "the holder's name differs";
    A 313 Refused "사용자 불일치" "the user differs";
    A 314 Refused "계좌 이동 중" "the account is being moved";
    A 315 Refused "농협 단위계좌 체계" "the numbering of a local cooperative's account";
    A 316 Refused "제3자 정보제공 동의 없음" "a consent is missing";
    A 317 Refused "수취계좌 미등록" "the receiving account is not registered";
    A 318 Refused "사업자등록번호 불일치" "the business number differs";
    A 319 Refused "동의 만료" "a consent has expired";
    A 320 OwnSide "실명번호 전체 조회 권한 없음" "no right to send full real-name numbers";
    A 321 Refused "예금주 정보 길이 불일치" "the holder's data do not fit their kind";
    A 322 OwnSide "약정계좌 미등록" "our contract account is not registered";
    A 323 OwnSide "계좌 미등록" "the account is not registered";
    A 324 Refused "이미 등록됨" "registered already";
    A 325 Refused "이미 등록된 계좌" "the account is registered already";
    A 326 Unknown "거래고유번호 중복" "the transaction number was used before";
    A 327 OwnSide "은행 출금한도 미약정" "no withdrawal limit is agreed with the bank";
    O 1 OwnSide "토큰 발급 거절" "a token was refused: the client's credentials";
    O 2 NotSent "토큰 거절" "the token was refused at the gateway";
    O 3 NotSent "토큰 만료" "the token has expired";
    O 4 OwnSide "API 권한 없음" "no right to the API";
    O 5 OwnSide "허용되지 않은 API" "the API is not allowed";
    O 6 OwnSide "허용되지 않은 IP" "our address is not allowed";
    O 7 Unknown "라우팅 실패" "the gateway could not route it: it may have left";
    O 8 OwnSide "이용량 초과" "a quota of ours is used up";
    O 9 OwnSide "API 이용량 초과" "the API's quota of ours is used up";
    O 10 OwnSide "HTTP 메소드 오류" "the HTTP method is not allowed";
}
