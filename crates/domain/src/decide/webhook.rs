//! Webhook notices: what a try's result writes (decision H17).

use super::Scene;
use crate::code::Code;
use crate::notice::{Notice, NoticeState};
use crate::refusal::Refusal;
use crate::retry::webhook_wait_ms;
use crate::view::{About, Change, EventKind, Reply, Write};

/// The status by which the engine says that there was no address to send to.
pub const NO_ADDRESS: i64 = -1;

pub(super) fn delivered(at: &Scene<'_>, status: i64) -> Result<Change, Refusal> {
    let Some(mut notice) = pending(at)? else {
        return Ok(Change::none(Reply::Stale));
    };
    notice.state = NoticeState::Delivered;
    tried(at, &mut notice, status);
    Ok(Change { writes: vec![Write::Notice(notice)], reply: Reply::Done, serials: 0 })
}

pub(super) fn not_delivered(at: &Scene<'_>, status: i64) -> Result<Change, Refusal> {
    let Some(mut notice) = pending(at)? else {
        return Ok(Change::none(Reply::Stale));
    };
    if status == NO_ADDRESS {
        notice.state = NoticeState::NoAddress;
        return Ok(Change { writes: vec![Write::Notice(notice)], reply: Reply::Done, serials: 0 });
    }
    tried(at, &mut notice, status);
    let mut writes = Vec::new();
    match webhook_wait_ms(notice.tries, at.context.rules.retry_unit_ms) {
        Some(wait) => notice.next_at = at.context.now.plus_ms(wait),
        None => {
            notice.state = NoticeState::GivenUp;
            let about = About::Notice(notice.no);
            let event = at.event(EventKind::NoticeGivenUp, about, Some(notice.partner));
            writes.push(Write::Event(event));
        }
    }
    writes.push(Write::Notice(notice));
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

/// Starts the schedule again, whatever became of it; the `webhook-id` stays the same.
pub(super) fn resend(at: &Scene<'_>) -> Result<Change, Refusal> {
    let mut notice = at.view.notice.ok_or(Code::W0101)?.clone();
    notice.state = NoticeState::Pending;
    notice.tries = 0;
    notice.next_at = at.context.now;
    let event = at.event(EventKind::NoticeResent, About::Notice(notice.no), Some(notice.partner));
    let writes = vec![Write::Notice(notice), Write::Event(event)];
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

fn pending(at: &Scene<'_>) -> Result<Option<Notice>, Refusal> {
    let notice = at.view.notice.ok_or(Code::W0101)?;
    Ok((notice.state == NoticeState::Pending).then(|| notice.clone()))
}

fn tried(at: &Scene<'_>, notice: &mut Notice, status: i64) {
    notice.tries += 1;
    notice.last_status = status;
    notice.last_at = Some(at.context.now);
}
