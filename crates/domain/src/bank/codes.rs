//! `bank_rsp_code`: what the bank that was to receive says of one transfer (openbanking 9).

use super::{BankClass, BankCode, BankEntry};

macro_rules! bank_codes {
    ($($code:literal $class:ident $kills:literal $final:literal $ko:literal $en:literal;)*) => {
        /// Every code that we know, ascending: code, class, whether it ends the key (decision H11),
        /// whether it is final when an inquiry says it of the original (openbanking 7.2), texts.
        pub const BANK_TABLE: &[BankEntry] = &[$(BankEntry {
            code: BankCode($code), class: BankClass::$class, kills_key: $kills,
            final_in_inquiry: $final, ko: $ko, en: $en,
        },)*];
    };
}

bank_codes! {
    0 Settled false true "처리 성공" "done";
    111 Unknown false false "개설기관 장애" "the receiving bank's system is down";
    114 Unknown false false "개설기관 거래시간 아님" "outside the receiving bank's hours";
    400 Unknown false false "입금 처리 중" "the deposit is being processed";
    412 Refused true true "해당계좌 없음" "no such account";
    413 Refused false true "통장분실 재발행계좌" "the passbook was lost and reissued";
    414 Refused false true "이관계좌" "the account was transferred";
    415 Refused true true "해약 계좌" "the account is closed";
    416 Refused true true "잡좌" "the account was merged into a dormant one";
    417 Refused false true "비실명 계좌" "the account is not in a real name";
    418 Refused false true "보안계좌" "the account is a security account";
    419 Refused true true "사고 신고계좌" "an incident was reported on the account";
    420 Refused true true "거래중지 계좌" "the account is suspended";
    421 Refused false true "법인계좌 이체불가" "no transfers to this corporate account";
    422 Refused false true "타행처리 불가계좌" "the account takes no interbank transfers";
    424 Refused false true "연체계좌" "the account is overdue";
    425 Refused false true "법적등록계좌" "the account is under legal seizure";
    426 Refused false true "압류금지 전용 계좌로 입금 불가" "the account is protected from seizure and cannot receive";
    427 Refused false true "기타 계좌 제한" "another restriction on the account";
    428 Refused false true "동의 미징구 계좌" "a consent was not collected";
    431 Refused false true "잔액증명 발급계좌" "a balance certificate was issued";
    452 OwnSide false false "출금계좌 비밀번호 오류 횟수 초과" "too many PIN errors on our account";
    453 OwnSide false false "출금계좌 잔액 부족" "our account has too little";
    454 OwnSide false false "출금 가능 잔액 부족" "our account can pay out too little";
    455 OwnSide false false "건당 이체한도 초과" "over our limit for one transfer";
    456 OwnSide false false "일일 이체한도 초과" "over our limit for the day";
    458 Refused false true "지연이체 계좌" "a delay rule applies to the account";
    461 Refused false true "의뢰인명 오류" "the requester's name is wrong";
    463 Refused false true "실명번호 상이" "the holder's number differs";
    467 Refused false true "장기미사용계좌" "the account is dormant";
    470 Refused false true "개인정보 노출 계좌" "personal data of the account was exposed";
    471 Refused false true "전자금융거래 제한계좌" "electronic banking is restricted";
    472 Refused false true "고객요청 제한계좌" "restricted at the customer's request";
    475 Refused false true "신규계좌 한도 제한" "a limit on new accounts applies";
    490 Refused false true "안심차단 계좌" "the customer blocked transactions";
    499 Refused true true "기타 처리불가(해당 지점 연락요망)" "another reason, contact the branch";
    701 Unknown false false "미확인 오류" "not verified: a person decides";
    803 Unknown false false "내부 처리 오류" "the centre had an internal error";
    804 Unknown false false "처리시간 초과" "the centre's time was exceeded";
    813 Unknown false false "미확인 오류" "not verified: a person decides";
    815 Refused true true "예금주명 불일치" "the holder's name differs";
    818 Unknown false false "시뮬레이터 응답 없음" "the test bed has no answer registered";
    819 Unknown false false "내부 전문 송신 실패" "the centre could not send its message";
    822 Unknown false false "거래고유번호 중복" "the transaction number was used before";
    999 Unknown false false "순이체한도 초과" "the net transfer limit is exceeded";
}
