//! What every answer has in common: the HTTP status, the centre's `rsp_code`, and which transfer
//! it is about.

use super::json::Node;
use super::message::Got;
use ichae_domain::bank::{BankClass, BankCode, Why};
use ichae_domain::money::AMOUNT_DIGITS_MAX;
use ichae_domain::time::Day;

const fn centre(letter: u8, digits: u16) -> BankCode {
    match BankCode::centre(letter, digits) {
        Some(code) => code,
        None => panic!("not a letter and four digits of the centre"),
    }
}

pub(super) const DONE: BankCode = centre(b'A', 0);
pub(super) const PROCESSING: BankCode = centre(b'A', 1);
pub(super) const AT_THE_BANK: BankCode = centre(b'A', 2);
pub(super) const FORM: BankCode = centre(b'A', 4);
pub(super) const ENTRY_FAILED: BankCode = centre(b'A', 9);
pub(super) const NO_TRANSACTIONS: BankCode = centre(b'A', 18);
pub(super) const NO_SUCH_TRANSFER: BankCode = centre(b'A', 310);
const TOKEN_REJECTED: BankCode = centre(b'O', 2);
const TOKEN_EXPIRED: BankCode = centre(b'O', 3);
/// The gateway's codes begin here.
const GATEWAY: BankCode = centre(b'O', 0);
/// The deposit is being processed (openbanking 7.1).
const BANK_PROCESSING: BankCode = BankCode(400);

/// An answer, as far as it is the same for all messages.
pub(super) enum Opened {
    NotSent,
    /// The gateway's own code under an HTTP error, and no transfer named beside it.
    Gateway(BankCode),
    /// An HTTP 200 with the centre's code.
    Body(BankCode, Node),
}

/// Opens an answer.
///
/// # Errors
/// The reason why nothing is known: no answer, an HTTP error without a code of the gateway, a body
/// that is no message, no `rsp_code`, or a code that is no code of the centre.
pub(super) fn open(got: &Got) -> Result<Opened, Why> {
    let (status, body) = match got {
        Got::NotSent => return Ok(Opened::NotSent),
        Got::TimedOut => return Err(Why::TimedOut),
        Got::Lost => return Err(Why::Lost),
        Got::Reply { status, body } => (*status, body),
    };
    let read = Node::read(body).and_then(|node| Ok((node.code("rsp_code")?, node)));
    if status != 200 {
        return match read {
            // The gateway asks no bank, so it names no transfer.
            Ok((Some(code), node)) if code >= GATEWAY && names_nothing(&node) => {
                Ok(Opened::Gateway(code))
            }
            _ => Err(Why::Faulted),
        };
    }
    match read? {
        (Some(code), _) if code.is_banks() => Err(Why::Undecided(code)),
        (Some(code), node) => Ok(Opened::Body(code, node)),
        (None, _) => Err(Why::Unreadable),
    }
}

/// Whether an answer names no transfer: it has no list, or nothing in it.
fn names_nothing(node: &Node) -> bool {
    matches!(node.entries(), Ok(None | Some([])))
}

/// Whether the gateway refused our token, so that no bank was involved and the same request may go
/// again (openbanking 2). An answer that names a transfer all the same is not taken for that.
pub(super) fn token_refused(got: &Got) -> bool {
    let refused = |code| code == TOKEN_REJECTED || code == TOKEN_EXPIRED;
    match open(got) {
        Ok(Opened::Gateway(code)) => refused(code),
        Ok(Opened::Body(code, node)) => refused(code) && names_nothing(&node),
        Ok(Opened::NotSent) | Err(_) => false,
    }
}

/// Why a code that decides nothing leaves the outcome unknown.
pub(super) fn undecided(code: BankCode) -> Why {
    if code == PROCESSING || code == BANK_PROCESSING {
        Why::Processing
    } else {
        Why::Undecided(code)
    }
}

/// Whether the texts are the same; an absent echo is unreadable.
pub(super) fn echoes(node: &Node, key: &str, sent: &str) -> Result<(), Why> {
    match node.text(key)? {
        Some(echo) if echo == sent => Ok(()),
        Some(_) => Err(Why::Mismatch),
        None => Err(Why::Unreadable),
    }
}

/// As [`echoes`], where an answer need not have the field.
pub(super) fn echoes_if_there(node: &Node, key: &str, sent: &str) -> Result<(), Why> {
    if node.text(key)?.is_none() { Ok(()) } else { echoes(node, key, sent) }
}

/// The amount that an answer speaks of; zeros in front do not count.
pub(super) fn amount(node: &Node) -> Result<Option<i64>, Why> {
    let Some(text) = node.text("tran_amt")? else { return Ok(None) };
    if !super::form::is_digits(text, AMOUNT_DIGITS_MAX) {
        return Err(Why::Unreadable);
    }
    text.parse().map(Some).map_err(|_| Why::Unreadable)
}

/// The bank's business date, if the answer has one.
pub(super) fn day(node: &Node) -> Option<Day> {
    Day::parse(node.text("bank_tran_date").ok().flatten()?)
}

/// Seven digits that name the branch; 0 where the bank names none. It decides nothing, so what is
/// no number counts as absent.
pub(super) fn branch(node: &Node, key: &str) -> u32 {
    let text = node.text(key).ok().flatten().filter(|text| super::form::is_digits(text, 7));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// What an answer says about an account: nothing of it moves money.
pub(super) enum AboutAccount {
    Fits(Node),
    /// The code that refused it, or that decides nothing.
    Code(BankCode),
    Nothing,
}

/// Reads an answer about an account. It must be about the check that was sent.
pub(super) fn about_account(got: &Got, bank_tran_id: &str) -> AboutAccount {
    read_account(got, bank_tran_id).unwrap_or(AboutAccount::Nothing)
}

fn read_account(got: &Got, bank_tran_id: &str) -> Result<AboutAccount, Why> {
    let (outer, node) = match open(got)? {
        Opened::NotSent => return Ok(AboutAccount::Nothing),
        Opened::Gateway(code) => return Ok(AboutAccount::Code(code)),
        Opened::Body(outer, node) => (outer, node),
    };
    let bank = node.bank_code()?;
    match outer {
        DONE => {
            echoes(&node, "bank_tran_id", bank_tran_id)?;
            let done = bank == Some(BankCode::OK);
            Ok(if done { AboutAccount::Fits(node) } else { AboutAccount::Nothing })
        }
        AT_THE_BANK | ENTRY_FAILED => {
            echoes(&node, "bank_tran_id", bank_tran_id)?;
            Ok(bank.map_or(AboutAccount::Nothing, AboutAccount::Code))
        }
        _ => {
            echoes_if_there(&node, "bank_tran_id", bank_tran_id)?;
            Ok(if contradicts(bank) { AboutAccount::Nothing } else { AboutAccount::Code(outer) })
        }
    }
}

/// Whether a bank's code stands against a refusal by the centre: then neither is believed.
pub(super) fn contradicts(bank: Option<BankCode>) -> bool {
    let agrees = |code: BankCode| matches!(code.class(), BankClass::Refused | BankClass::OwnSide);
    bank.is_some_and(|code| !agrees(code))
}
