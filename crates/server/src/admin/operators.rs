//! Operators, and what waits for a second one of them (decision M2).

use super::execute::{Admin, Done};
use super::request::AdminError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_domain::code::Code;
use ichae_domain::command::Command;
use ichae_domain::ident::ProposalNo;
use ichae_domain::matter::{Proposal, ProposalState};
use ichae_domain::view::Reply;
use serde_json::{Value, json};

const LIST_MAX: usize = 1_000;

impl Admin<'_> {
    pub(super) async fn operator_add(&self, name: String, public_key: &str) -> Done {
        let bytes = STANDARD.decode(public_key).map_err(|_| Code::P0124)?;
        let public_key: [u8; 32] = bytes.try_into().map_err(|_| Code::P0124)?;
        // Two names with one key would be one person who is two.
        let known = self.hub.read(|r| r.operators()).await?;
        if known.iter().any(|operator| operator.public_key == public_key) {
            return Err(Code::P0123.into());
        }
        self.give(Command::AddOperator { name: name.clone(), public_key }).await?;
        Ok(json!({ "operator": name, "public_key": STANDARD.encode(public_key) }))
    }

    pub(super) async fn operator_list(&self) -> Done {
        let operators = self.hub.read(|r| r.operators()).await?;
        let one = |operator: &ichae_domain::operator::Operator| {
            let signed = Some(operator.last_signed).filter(|at| at.0 > 0);
            json!({
                "operator": operator.name,
                "may_sign": operator.may_sign(),
                "since": operator.added_at.seoul_text(),
                "revoked": operator.revoked_at.map(|at| at.seoul_text()),
                "last_signed": signed.map(|at| at.seoul_text()),
            })
        };
        Ok(operators.iter().map(one).collect())
    }

    /// What the person proposed and nobody approved yet is taken back with it.
    pub(super) async fn operator_revoke(&self, name: String) -> Done {
        self.give(Command::RevokeOperator { name: name.clone() }).await?;
        let open = self.hub.read(|r| r.proposals(true, LIST_MAX)).await?;
        let mut withdrawn = 0;
        for proposal in open.iter().filter(|proposal| proposal.by == name) {
            self.give(Command::Withdraw { proposal: proposal.no }).await?;
            withdrawn += 1;
        }
        Ok(json!({ "operator": name, "revoked": true, "proposals_withdrawn": withdrawn }))
    }

    pub(super) async fn proposal_list(&self, all: bool) -> Done {
        let proposals = self.hub.read(move |r| r.proposals(!all, LIST_MAX)).await?;
        Ok(proposals.iter().map(|proposal| self.proposal_value(proposal)).collect())
    }

    async fn proposal(&self, no: i64) -> Result<Proposal, AdminError> {
        let found = self.hub.read(move |r| r.proposal(ProposalNo(no))).await?;
        found.ok_or_else(|| Code::P0132.into())
    }

    pub(super) async fn proposal_approve(&self, no: i64) -> Done {
        let proposal = self.proposal(no).await?;
        let act = Box::new(proposal.act.clone());
        let reply = self
            .give(Command::Approve { proposal: proposal.no, act, by: self.name().to_owned() })
            .await?;
        let mut value = self.proposal_value(&self.proposal(no).await?);
        if let Reply::Funded { available, .. } = reply {
            value["available"] = json!(available.0);
        }
        Ok(value)
    }

    pub(super) async fn proposal_withdraw(&self, no: i64) -> Done {
        self.give(Command::Withdraw { proposal: ProposalNo(no) }).await?;
        Ok(self.proposal_value(&self.proposal(no).await?))
    }

    fn proposal_value(&self, proposal: &Proposal) -> Value {
        let act = &proposal.act;
        let partner = self.hub.directory.by_no(act.partner);
        json!({
            "proposal": proposal.no.0,
            "state": proposal.state.name(),
            "what": act.matter.text(),
            "cst_id": partner.map(|entry| entry.partner.cst_id.clone()),
            "payout": act.payout.map(|no| no.0),
            "amount": act.amount.0,
            "evidence": act.note,
            "proposed_by": proposal.by,
            "proposed": proposal.at.seoul_text(),
            "closed_by": proposal.closed_by,
            "closed": proposal.closed_at.map(|at| at.seoul_text()),
            "hint": (proposal.state == ProposalState::Open)
                .then(|| format!("another operator: ichae proposal approve {}", proposal.no.0)),
        })
    }

    /// What became of an act: done, or waiting for the second person.
    pub(super) async fn acted(&self, reply: &Reply) -> Result<Option<Value>, AdminError> {
        match reply {
            Reply::Proposed(no) => Ok(Some(self.proposal_value(&self.proposal(no.0).await?))),
            _ => Ok(None),
        }
    }
}
