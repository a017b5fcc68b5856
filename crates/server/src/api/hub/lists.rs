//! The three lists. A whole list is streamed, page by page, with bounded memory; `limit` and
//! `last_key` page it (decision H14).

use crate::api::answer::{Answered, respond};
use crate::api::call::Call;
use crate::api::row;
use crate::directory::Entry;
use crate::hub::Hub;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream;
use ichae_domain::code::Code;
use ichae_domain::ident::{GroupNo, PayoutNo};
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Day;
use ichae_store::port::{ListBy, Row, Shown, StoreError};
use ichae_wire::hub::list::{About, ListFrame, PendingFrame};
use ichae_wire::hub::page::Page;
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::row::Verdict;
use ichae_wire::hub::{result_date, result_group, waiting as waiting_wire};
use ichae_wire::ident::Kind;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Rows that are read and written at once.
const SLICE: usize = 500;
/// Slices that may wait for a slow reader.
const SLICES_AHEAD: usize = 2;

/// What still waits in a group: neither executed nor cancelled.
#[utoipa::path(post, path = waiting_wire::PATH, tag = "look-ups",
    request_body = waiting_wire::RequestBody, security(("bearer" = [])),
    responses((status = 200, description = "The list, or a refusal: L0102 L0121 L0130",
               body = waiting_wire::Response),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn waiting(call: Call) -> Answered {
    let entry = call.caller()?;
    let parsed = waiting_wire::parse(&call.fields).map_err(|r| refuse(&call, &entry, r))?;
    let group = group(&call, &entry, &parsed.group_key).await?;
    let list = List {
        by: ListBy::Group(group),
        heading: Heading::Group(parsed.group_key),
        kind: ListKind::Waiting,
        nothing: Code::L0121,
    };
    answer(&call, entry, list, parsed.page).await
}

/// What was completed on a business date, and what of that day is under way.
#[utoipa::path(post, path = result_date::PATH, tag = "look-ups",
    request_body = result_date::RequestBody, security(("bearer" = [])),
    responses((status = 200, description = "The list, or a refusal: L0110 L0120 L0130",
               body = result_date::Response),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn by_date(call: Call) -> Answered {
    let entry = call.caller()?;
    let parsed = result_date::parse(&call.fields).map_err(|r| refuse(&call, &entry, r))?;
    let list = List {
        by: ListBy::Day(entry.partner.no, parsed.day),
        heading: Heading::Day(parsed.day),
        kind: ListKind::Results { completed_needed: true },
        nothing: Code::L0120,
    };
    answer(&call, entry, list, parsed.page).await
}

/// What became of a group's payouts, and what of it is under way.
#[utoipa::path(post, path = result_group::PATH, tag = "look-ups",
    request_body = result_group::RequestBody, security(("bearer" = [])),
    responses((status = 200, description = "The list, or a refusal: L0102 L0121 L0130",
               body = result_group::Response),
              (status = "4XX", description = "A fault below the API", body = RefusalBody),
              (status = 503, description = "Busy or draining", body = RefusalBody)))]
pub async fn by_group(call: Call) -> Answered {
    let entry = call.caller()?;
    let parsed = result_group::parse(&call.fields).map_err(|r| refuse(&call, &entry, r))?;
    let group = group(&call, &entry, &parsed.group_key).await?;
    let list = List {
        by: ListBy::Group(group),
        heading: Heading::Group(parsed.group_key),
        kind: ListKind::Results { completed_needed: false },
        nothing: Code::L0121,
    };
    answer(&call, entry, list, parsed.page).await
}

#[derive(Clone)]
struct List {
    by: ListBy,
    heading: Heading,
    kind: ListKind,
    nothing: Code,
}

#[derive(Clone)]
enum Heading {
    Day(Day),
    Group(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ListKind {
    Waiting,
    /// A day with nothing completed is a refusal, whatever is under way (the documents say so).
    Results {
        completed_needed: bool,
    },
}

impl ListKind {
    fn shown(self) -> Shown {
        match self {
            ListKind::Waiting => Shown::Waiting,
            ListKind::Results { .. } => Shown::Executed,
        }
    }
}

impl Heading {
    fn about(&self) -> About<'_> {
        match self {
            Heading::Day(day) => About::Day(*day),
            Heading::Group(key) => About::Group(key),
        }
    }
}

fn refuse(call: &Call, entry: &Entry, refusal: Refusal) -> Response {
    call.refuse(Some(entry.partner.no), &refusal)
}

/// The named group, if it is the caller's.
async fn group(call: &Call, entry: &Entry, text: &str) -> Result<GroupNo, Response> {
    let unknown = || refuse(call, entry, Code::L0102.into());
    let hub = &call.api.hub;
    let no = hub.serial(Kind::Group, entry.partner.no, text).map(GroupNo).ok_or_else(unknown)?;
    let found = hub.read(move |r| r.group(no)).await.map_err(|error| call.unread(&error))?;
    let ours = found.is_some_and(|group| group.partner == entry.partner.no);
    if ours { Ok(no) } else { Err(unknown()) }
}

async fn answer(call: &Call, entry: Arc<Entry>, list: List, page: Page) -> Answered {
    let hub = &call.api.hub;
    let partner = entry.partner.no;
    let wrong_key = || refuse(call, &entry, Refusal::field(Code::L0130, "last_key"));
    let after = match &page.last_key {
        Some(key) => hub.serial(Kind::Transfer, partner, key).ok_or_else(wrong_key)?,
        None => 0,
    };
    let (by, shown) = (list.by, list.kind.shown());
    // Looked at before anything is answered: a list with nothing in it is a refusal.
    let needed = match list.kind {
        ListKind::Results { completed_needed: true } => Shown::Completed,
        _ => shown,
    };
    let first = hub.read(move |r| r.rows(by, needed, PayoutNo(0), 1)).await;
    if first.map_err(|error| call.unread(&error))?.is_empty() {
        return Err(refuse(call, &entry, list.nothing.into()));
    }
    match page.limit {
        Some(limit) => one_page(call, &entry, &list, PayoutNo(after), limit as usize).await,
        None => Ok(streamed(call, entry, list, PayoutNo(after))),
    }
}

/// One page of at most `limit` rows, completed and under way together, in order.
async fn one_page(
    call: &Call,
    entry: &Entry,
    list: &List,
    after: PayoutNo,
    limit: usize,
) -> Answered {
    let hub = &call.api.hub;
    let (by, shown) = (list.by, list.kind.shown());
    let rows = hub.read(move |r| r.rows(by, shown, after, limit + 1)).await;
    let mut rows = rows.map_err(|error| call.unread(&error))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more).map(|row| row.payout.no.0);
    let last_key = last.map(|no| hub.id(Kind::Transfer, entry.partner.no, no)).unwrap_or_default();
    let written = write_page(hub, entry, list, &rows, &last_key);
    let bytes = written.map_err(|_| call.internal("a list could not be written"))?;
    Ok(respond(StatusCode::OK, Code::A0000, Body::from(bytes)))
}

fn write_page(
    hub: &Hub,
    entry: &Entry,
    list: &List,
    rows: &[Row],
    last_key: &str,
) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = Lines { hub, entry };
    let mut frame = ListFrame::open(&mut out, &entry.partner.cst_id, list.heading.about())?;
    if list.kind == ListKind::Waiting {
        rows.iter().try_for_each(|row| writer.waiting(&mut frame, &mut out, row))?;
        frame.close(&mut out, last_key)?;
        return Ok(out);
    }
    for row in rows.iter().filter(|row| row.state.completed()) {
        writer.completed(&mut frame, &mut out, row)?;
    }
    let mut pending = frame.pending(&mut out)?;
    for row in rows.iter().filter(|row| row.state.under_way()) {
        writer.under_way(&mut pending, &mut out, row)?;
    }
    pending.close(&mut out, last_key)?;
    Ok(out)
}

/// Writes rows of one partner.
struct Lines<'a> {
    hub: &'a Hub,
    entry: &'a Entry,
}

impl Lines<'_> {
    fn waiting(
        &mut self,
        frame: &mut ListFrame,
        out: &mut Vec<u8>,
        found: &Row,
    ) -> serde_json::Result<()> {
        frame.waiting_row(out, &row::waiting(self.hub, self.entry.partner.no, found))
    }

    fn completed(
        &mut self,
        frame: &mut ListFrame,
        out: &mut Vec<u8>,
        found: &Row,
    ) -> serde_json::Result<()> {
        match Verdict::of(found.state, found.attempt.as_ref()) {
            Some(verdict) => {
                let cst_id = &self.entry.partner.cst_id;
                frame.row(out, &row::result(self.hub, cst_id, found, verdict))
            }
            None => Ok(()),
        }
    }

    /// As it was when the list reached it, even if it was completed a moment later.
    fn under_way(
        &mut self,
        frame: &mut PendingFrame,
        out: &mut Vec<u8>,
        found: &Row,
    ) -> serde_json::Result<()> {
        let cst_id = &self.entry.partner.cst_id;
        let row = row::result(self.hub, cst_id, found, Verdict::UnderWay);
        frame.row(out, &row, found.payout.amount)
    }
}

/// The whole list, read as it is sent. A reader that goes away ends it.
fn streamed(call: &Call, entry: Arc<Entry>, list: List, after: PayoutNo) -> Response {
    let hub = Arc::clone(&call.api.hub);
    let (chunks, received) = mpsc::channel::<Result<Bytes, StoreError>>(SLICES_AHEAD);
    tokio::spawn(async move {
        let feed = Feed { hub, entry, list, chunks };
        if let Err(error) = feed.run(after).await {
            // The answer's head is out: a cut body says that it is not whole.
            tracing::error!(%error, "a list was cut");
            let _ = feed.chunks.send(Err(error)).await;
        }
    });
    let next = |mut received: mpsc::Receiver<_>| async move {
        received.recv().await.map(|chunk| (chunk, received))
    };
    let body = Body::from_stream(stream::unfold(received, next));
    respond(StatusCode::OK, Code::A0000, body)
}

struct Feed {
    hub: Arc<Hub>,
    entry: Arc<Entry>,
    list: List,
    chunks: mpsc::Sender<Result<Bytes, StoreError>>,
}

impl Feed {
    async fn run(&self, mut after: PayoutNo) -> Result<(), StoreError> {
        let waiting = self.list.kind == ListKind::Waiting;
        let mut out = Vec::new();
        let cst_id = &self.entry.partner.cst_id;
        let mut frame =
            ListFrame::open(&mut out, cst_id, self.list.heading.about()).map_err(unwritten)?;
        // What is under way is remembered by number and written after what is completed, so that a
        // row which ends meanwhile is in exactly one of the two.
        let mut under_way = Vec::new();
        loop {
            let (by, shown) = (self.list.by, self.list.kind.shown());
            let rows = self.hub.read(move |r| r.rows(by, shown, after, SLICE)).await?;
            let Some(last) = rows.last() else { break };
            after = last.payout.no;
            let mut lines = Lines { hub: &self.hub, entry: &self.entry };
            for row in &rows {
                if waiting {
                    lines.waiting(&mut frame, &mut out, row).map_err(unwritten)?;
                } else if row.state.under_way() {
                    under_way.push(row.payout.no);
                } else {
                    lines.completed(&mut frame, &mut out, row).map_err(unwritten)?;
                }
            }
            if !self.send(&mut out).await {
                return Ok(());
            }
        }
        if waiting {
            frame.close(&mut out, "").map_err(unwritten)?;
        } else {
            let pending = frame.pending(&mut out).map_err(unwritten)?;
            self.pending(pending, &under_way, &mut out).await?;
        }
        self.send(&mut out).await;
        Ok(())
    }

    async fn pending(
        &self,
        mut frame: PendingFrame,
        under_way: &[PayoutNo],
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        for slice in under_way.chunks(SLICE) {
            let numbers = slice.to_vec();
            let rows = self.hub.read(move |r| r.rows_of(&numbers));
            let mut lines = Lines { hub: &self.hub, entry: &self.entry };
            for row in rows.await?.iter().flatten() {
                lines.under_way(&mut frame, out, row).map_err(unwritten)?;
            }
            if !self.send(out).await {
                return Ok(());
            }
        }
        frame.close(out, "").map_err(unwritten)
    }

    /// `false`: nobody listens any more.
    async fn send(&self, out: &mut Vec<u8>) -> bool {
        let chunk = Bytes::from(std::mem::take(out));
        self.chunks.send(Ok(chunk)).await.is_ok()
    }
}

fn unwritten(error: serde_json::Error) -> StoreError {
    StoreError::Refused(format!("a list could not be written: {error}"))
}
