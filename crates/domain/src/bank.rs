//! What a bank says: its response codes as a table, and the answers that a rail reads from it.
//!
//! A code that is not listed is Unknown, never Refused.

use crate::time::Day;

/// What a bank's response code means for a deposit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BankClass {
    Settled,
    Refused,
    /// Trouble on our own side: it pauses the rail, it fails no payout (decision M3).
    OwnSide,
    Unknown,
}

/// One row: the three digits, their class, whether they end the billing key (decision H11).
#[derive(Debug)]
pub struct BankEntry {
    pub code: BankCode,
    pub class: BankClass,
    pub kills_key: bool,
    pub ko: &'static str,
    pub en: &'static str,
}

/// A bank's response code, three digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BankCode(pub u16);

macro_rules! bank_codes {
    ($($code:literal $class:ident $kills:literal $ko:literal $en:literal;)*) => {
        /// Every code that we know (openbanking 9; the seven that end a key are documented).
        pub const BANK_TABLE: &[BankEntry] = &[$(BankEntry {
            code: BankCode($code), class: BankClass::$class, kills_key: $kills, ko: $ko, en: $en,
        },)*];
    };
}

bank_codes! {
    0 Settled false "처리 성공" "done";
    111 Unknown false "개설기관 장애" "the receiving bank's system is down";
    114 Unknown false "개설기관 거래시간 아님" "outside the receiving bank's hours";
    400 Unknown false "입금 처리 중" "the deposit is being processed";
    412 Refused true "해당계좌 없음" "no such account";
    413 Refused false "통장분실 재발행계좌" "the passbook was lost and reissued";
    414 Refused false "이관계좌" "the account was transferred";
    415 Refused true "해약 계좌" "the account is closed";
    416 Refused true "잡좌" "the account was merged into a dormant one";
    417 Refused false "비실명 계좌" "the account is not in a real name";
    418 Refused false "보안계좌" "the account is a security account";
    419 Refused true "사고 신고계좌" "an incident was reported on the account";
    420 Refused true "거래중지 계좌" "the account is suspended";
    421 Refused false "법인계좌 이체불가" "no transfers to this corporate account";
    422 Refused false "타행처리 불가계좌" "the account takes no interbank transfers";
    424 Refused false "연체계좌" "the account is overdue";
    425 Refused false "법적등록계좌" "the account is under legal seizure";
    426 Refused false "압류금지 전용 계좌로 입금 불가" "the account is protected from seizure and cannot receive";
    427 Refused false "기타 계좌 제한" "another restriction on the account";
    428 Refused false "동의 미징구 계좌" "a consent was not collected";
    431 Refused false "잔액증명 발급계좌" "a balance certificate was issued";
    452 OwnSide false "출금계좌 비밀번호 오류 횟수 초과" "too many PIN errors on our account";
    453 OwnSide false "출금계좌 잔액 부족" "our account has too little";
    454 OwnSide false "출금 가능 잔액 부족" "our account can pay out too little";
    455 OwnSide false "건당 이체한도 초과" "over our limit for one transfer";
    456 OwnSide false "일일 이체한도 초과" "over our limit for the day";
    458 Refused false "지연이체 계좌" "a delay rule applies to the account";
    461 Refused false "의뢰인명 오류" "the requester's name is wrong";
    463 Refused false "실명번호 상이" "the holder's number differs";
    467 Refused false "장기미사용계좌" "the account is dormant";
    470 Refused false "개인정보 노출 계좌" "personal data of the account was exposed";
    471 Refused false "전자금융거래 제한계좌" "electronic banking is restricted";
    472 Refused false "고객요청 제한계좌" "restricted at the customer's request";
    475 Refused false "신규계좌 한도 제한" "a limit on new accounts applies";
    490 Refused false "안심차단 계좌" "the customer blocked transactions";
    499 Refused true "기타 처리불가(해당 지점 연락요망)" "another reason, contact the branch";
    701 Unknown false "미확인 오류" "not verified: a person decides";
    803 Unknown false "내부 처리 오류" "the centre had an internal error";
    804 Unknown false "처리시간 초과" "the centre's time was exceeded";
    813 Unknown false "미확인 오류" "not verified: a person decides";
    815 Refused true "예금주명 불일치" "the holder's name differs";
    818 Unknown false "시뮬레이터 응답 없음" "the test bed has no answer registered";
    819 Unknown false "내부 전문 송신 실패" "the centre could not send its message";
    822 Unknown false "거래고유번호 중복" "the transaction number was used before";
    999 Unknown false "순이체한도 초과" "the net transfer limit is exceeded";
}

impl BankCode {
    pub const OK: BankCode = BankCode(0);

    pub fn entry(self) -> Option<&'static BankEntry> {
        BANK_TABLE.iter().find(|e| e.code == self)
    }

    pub fn class(self) -> BankClass {
        self.entry().map_or(BankClass::Unknown, |e| e.class)
    }

    pub fn kills_key(self) -> bool {
        self.entry().is_some_and(|e| e.kills_key)
    }

    /// The three digits, as the wire has them.
    pub fn text(self) -> String {
        format!("{:03}", self.0)
    }

    /// The reason with its code in brackets, e.g. `해약 계좌(415)`.
    pub fn reason(self) -> String {
        match self.entry() {
            Some(entry) => format!("{}({:03})", entry.ko, self.0),
            None => format!("기타 오류({:03})", self.0),
        }
    }
}

/// Why an outcome is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// No answer within the time-out.
    TimedOut,
    /// The connection was lost after the request could have left.
    Lost,
    /// The bank says that it is still working on it.
    Processing,
    /// The bank's answer has a code that does not decide.
    Undecided(BankCode),
    /// The process ended between the intent and the answer.
    Restarted,
    /// The store went back to an earlier day: it may have been sent in the time that was lost.
    Restored,
}

impl Why {
    /// What stores keep: negative where no bank code is part of it.
    pub fn number(self) -> i64 {
        match self {
            Why::TimedOut => -1,
            Why::Lost => -2,
            Why::Processing => -3,
            Why::Restarted => -4,
            Why::Restored => -5,
            Why::Undecided(code) => i64::from(code.0),
        }
    }

    pub fn from_number(number: i64) -> Option<Why> {
        match number {
            -1 => Some(Why::TimedOut),
            -2 => Some(Why::Lost),
            -3 => Some(Why::Processing),
            -4 => Some(Why::Restarted),
            -5 => Some(Why::Restored),
            code => u16::try_from(code).ok().map(|code| Why::Undecided(BankCode(code))),
        }
    }
}

/// What a rail read from a deposit or an inquiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Settled {
        day: Day,
        bank_code_sub: u32,
    },
    Refused {
        code: BankCode,
        day: Day,
    },
    OwnSide {
        code: BankCode,
    },
    /// Provably not sent: the connection failed before a byte left, or the gateway refused our token.
    NotSent,
    Unknown(Why),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_codes_end_a_key_and_every_one_of_them_is_a_refusal() {
        let killers: Vec<u16> =
            BANK_TABLE.iter().filter(|e| e.kills_key).map(|e| e.code.0).collect();
        assert_eq!(killers, [412, 415, 416, 419, 420, 499, 815]);
        assert!(BANK_TABLE.iter().filter(|e| e.kills_key).all(|e| e.class == BankClass::Refused));
    }

    #[test]
    fn the_table_is_sorted_and_what_it_does_not_list_is_unknown() {
        assert!(BANK_TABLE.windows(2).all(|w| w[0].code < w[1].code));
        let listed: Vec<u16> = BANK_TABLE.iter().map(|e| e.code.0).collect();
        for code in (0..1000).filter(|c| !listed.contains(c)) {
            assert_eq!(BankCode(code).class(), BankClass::Unknown);
            assert!(!BankCode(code).kills_key());
        }
    }

    #[test]
    fn the_reason_carries_its_code() {
        assert_eq!(BankCode(415).reason(), "해약 계좌(415)");
        assert_eq!(BankCode(815).reason(), "예금주명 불일치(815)");
        assert_eq!(BankCode::OK.text(), "000");
    }
}
