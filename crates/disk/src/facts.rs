//! What was acknowledged: each success answer becomes facts, which are held against the store later.
//! A fact has a line of its own, so that one process can tell another.

use crate::site::Said;
use ichae_domain::command::{Action, Command, Target};
use ichae_domain::ident::{BankNo, GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::money::Won;
use ichae_domain::view::{Reply, Requested};
use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    Partner(PartnerNo),
    Key(PartnerNo, KeyNo),
    Fund(PartnerNo, Won, String),
    Payout(Box<Taken>),
    /// A whole group, or rows of it that were looked up before.
    Group(GroupNo, Action),
    Claim(PayoutNo, BankNo),
    Outcome(PayoutNo, Said),
}

/// A payout that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    pub payout: PayoutNo,
    pub partner: PartnerNo,
    pub group: GroupNo,
    pub key: KeyNo,
    pub amount: Won,
    pub distinct_key: String,
}

/// What the success answer to a command says.
pub fn facts(command: &Command, reply: &Reply) -> Vec<Fact> {
    match (command, reply) {
        (Command::AddPartner(_), Reply::Partner(no)) => vec![Fact::Partner(*no)],
        (Command::RegisterKey(new), Reply::Key(no, _)) => vec![Fact::Key(new.partner, *no)],
        (Command::Fund { partner, amount, reference, .. }, Reply::Funded { .. }) => {
            vec![Fact::Fund(*partner, *amount, reference.clone())]
        }
        (Command::Request(request), Reply::Requested(told)) => {
            taken(request, told).into_iter().collect()
        }
        (Command::Bulk(bulk), Reply::Bulk(rows)) => {
            let told = bulk.rows.iter().zip(rows);
            told.filter_map(|(row, told)| taken(row, told.as_ref().ok()?)).collect()
        }
        (Command::Execute(execute), Reply::Executed { .. }) if execute.target == Target::All => {
            vec![Fact::Group(execute.group, execute.action)]
        }
        (Command::Claim { payout, .. }, Reply::Send(deposit)) => {
            vec![Fact::Claim(*payout, deposit.bank_no)]
        }
        (Command::Outcome(told), Reply::Done) => {
            use ichae_domain::bank::Answer;
            let said = match told.answer {
                Answer::Settled { .. } => Said::Settled,
                Answer::Refused { .. } => Said::Refused,
                _ => Said::Unknown,
            };
            vec![Fact::Outcome(told.payout, said)]
        }
        _ => Vec::new(),
    }
}

fn taken(request: &ichae_domain::command::Request, told: &Requested) -> Option<Fact> {
    Some(Fact::Payout(Box::new(Taken {
        payout: told.payout,
        partner: request.partner,
        group: told.group,
        key: request.key?,
        amount: request.amount,
        distinct_key: request.distinct_key.clone(),
    })))
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Partner(no) => write!(f, "partner {}", no.0),
            Fact::Key(partner, no) => write!(f, "key {} {}", partner.0, no.0),
            Fact::Fund(partner, amount, reference) => {
                write!(f, "fund {} {} {reference}", partner.0, amount.0)
            }
            Fact::Payout(taken) => {
                let Taken { payout, partner, group, key, amount, distinct_key } = &**taken;
                let numbers = [payout.0, partner.0, group.0, key.0, amount.0];
                let numbers = numbers.map(|number| number.to_string()).join(" ");
                write!(f, "payout {numbers} {distinct_key}")
            }
            Fact::Group(no, action) => write!(f, "group {} {}", no.0, action.name()),
            Fact::Claim(payout, bank_no) => write!(f, "claim {} {}", payout.0, bank_no.0),
            Fact::Outcome(payout, said) => write!(f, "outcome {} {said:?}", payout.0),
        }
    }
}

impl Fact {
    /// `None` where the line is none; `Display` wrote it.
    pub fn read(line: &str) -> Option<Fact> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words.get(at)?.parse::<i64>().ok();
        let word = |at: usize| words.get(at).copied();
        Some(match word(0)? {
            "partner" => Fact::Partner(PartnerNo(number(1)?)),
            "key" => Fact::Key(PartnerNo(number(1)?), KeyNo(number(2)?)),
            "fund" => Fact::Fund(PartnerNo(number(1)?), Won(number(2)?), word(3)?.to_owned()),
            "payout" => Fact::Payout(Box::new(Taken {
                payout: PayoutNo(number(1)?),
                partner: PartnerNo(number(2)?),
                group: GroupNo(number(3)?),
                key: KeyNo(number(4)?),
                amount: Won(number(5)?),
                distinct_key: word(6)?.to_owned(),
            })),
            "group" => {
                let actions = [Action::Now, Action::Cancel];
                let action = actions.into_iter().find(|action| Some(action.name()) == word(2))?;
                Fact::Group(GroupNo(number(1)?), action)
            }
            "claim" => Fact::Claim(PayoutNo(number(1)?), BankNo(number(2)?)),
            "outcome" => {
                let all = [Said::Settled, Said::Refused, Said::Unknown];
                let said = all.into_iter().find(|said| Some(&*format!("{said:?}")) == word(2))?;
                Fact::Outcome(PayoutNo(number(1)?), said)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_read_as_it_was_written() {
        let taken = Taken {
            payout: PayoutNo(5),
            partner: PartnerNo(1),
            group: GroupNo(6),
            key: KeyNo(4),
            amount: Won(100),
            distinct_key: "d-1".to_owned(),
        };
        for fact in [
            Fact::Partner(PartnerNo(1)),
            Fact::Key(PartnerNo(1), KeyNo(2)),
            Fact::Fund(PartnerNo(1), Won(5), "ref".to_owned()),
            Fact::Payout(Box::new(taken)),
            Fact::Group(GroupNo(6), Action::Cancel),
            Fact::Claim(PayoutNo(5), BankNo(77)),
            Fact::Outcome(PayoutNo(5), Said::Unknown),
        ] {
            assert_eq!(Fact::read(&fact.to_string()), Some(fact));
        }
        assert_eq!(Fact::read("opened"), None);
    }
}
