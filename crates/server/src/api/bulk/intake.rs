//! One bulk call: reads, decides in slices, answers.
//!
//! While one slice is with the writer the next is read. Once nothing is under way, what there is
//! goes at once, so that a slow sender is answered row by row and a fast one in whole slices.

use super::lines::{Line, Lines};
use crate::api::call::Call;
use crate::directory::Entry;
use axum::body::{Body, Bytes};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use http_body_util::BodyExt;
use ichae_domain::code::Code;
use ichae_domain::command::{Actor, Bulk, Command, Request};
use ichae_domain::ident::{GroupNo, KeyNo};
use ichae_domain::refusal::Refusal;
use ichae_domain::time::Time;
use ichae_domain::view::{Reply, Requested};
use ichae_store::port::{Answer, WEIGHT_MAX};
use ichae_wire::bulk::{self, BYTES_MAX, ROWS_MAX, RefusedLine, TakenLine};
use ichae_wire::hub::refusal::RefusalBody;
use ichae_wire::hub::{MESSAGE, RESULT};
use ichae_wire::ident::Kind;
use ichae_wire::json::Fields;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Rows that the writer gets at once: a commit that has so many takes nothing more.
const SLICE_ROWS: usize = WEIGHT_MAX;
/// Slices that may be with the writer.
const SLICES_AHEAD: usize = 3;
/// Rows read ahead at most; then the body waits.
const READ_AHEAD: usize = SLICE_ROWS * 2;

/// A row as it was read.
struct Row {
    number: usize,
    /// The billing key as it was sent, or why the row cannot go to the writer.
    read: Result<String, Unread>,
}

struct Unread {
    distinct_key: Option<String>,
    body: RefusalBody,
}

/// A slice under way.
struct Slice {
    rows: Vec<Row>,
    /// Of those that could be read.
    requests: Arc<Vec<Request>>,
    /// What the writer says of them; `None` if there were none.
    told: Option<Answer>,
}

pub struct Intake {
    call: Call,
    entry: Arc<Entry>,
    answers: mpsc::UnboundedSender<Bytes>,
    lines: Lines,
    waiting: Vec<Row>,
    /// Of the rows that wait, those that could be read.
    requests: Vec<Request>,
    rows: usize,
    bytes: usize,
    group: Option<GroupNo>,
    /// The group's identifier and the moment's text, which many rows share.
    group_text: (Option<GroupNo>, String),
    time_text: (Option<Time>, String),
}

/// Why the body is read no further.
enum End {
    Whole,
    /// Said in a last line of its own.
    Cut(Code, &'static str),
}

impl Intake {
    pub fn new(call: Call, entry: Arc<Entry>, answers: mpsc::UnboundedSender<Bytes>) -> Intake {
        Intake {
            call,
            entry,
            answers,
            lines: Lines::default(),
            waiting: Vec::new(),
            requests: Vec::new(),
            rows: 0,
            bytes: 0,
            group: None,
            group_text: (None, String::new()),
            time_text: (None, String::new()),
        }
    }

    pub async fn run(mut self, mut body: Body) {
        let mut under_way: FuturesOrdered<BoxFuture<'static, Slice>> = FuturesOrdered::new();
        let mut end = None;
        loop {
            while self.may_send(&under_way) {
                under_way.push_back(self.send());
            }
            let reads = end.is_none() && self.waiting.len() < READ_AHEAD;
            if !reads && under_way.is_empty() {
                break;
            }
            tokio::select! {
                ended = self.read(&mut body), if reads => end = ended,
                Some(slice) = under_way.next() => self.answer(slice),
            }
        }
        if let Some(End::Cut(code, why)) = end {
            self.cut(code, why);
        }
    }

    /// Before the call has its group, one slice at a time: the next ones must join it.
    fn may_send(&self, under_way: &FuturesOrdered<BoxFuture<'static, Slice>>) -> bool {
        let room = if self.group.is_none() { 1 } else { SLICES_AHEAD };
        let ready = self.waiting.len() >= SLICE_ROWS || under_way.is_empty();
        !self.waiting.is_empty() && ready && under_way.len() < room
    }

    /// Reads the next piece of the body.
    async fn read(&mut self, body: &mut Body) -> Option<End> {
        // The limit is on progress: a long body may take long, a silent one may not.
        let limit = self.call.api.settings.body_timeout;
        let piece = match tokio::time::timeout(limit, body.frame()).await {
            Err(_) => return Some(self.ends(End::Cut(Code::T0400, TOO_SLOW))),
            // A client that went away: what arrived whole is taken, the rest was never sent.
            Ok(Some(Err(_))) => return Some(End::Whole),
            Ok(None) => return Some(self.ends(End::Whole)),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        self.bytes += piece.len();
        if self.bytes > BYTES_MAX {
            return Some(End::Cut(Code::T0400, TOO_MUCH));
        }
        let mut lines = std::mem::take(&mut self.lines);
        lines.take(&piece, |line| self.row(line));
        self.lines = lines;
        (self.rows > ROWS_MAX).then_some(End::Cut(Code::T0400, TOO_MANY))
    }

    /// The last line needs no end of its own, unless the body stopped in its middle.
    fn ends(&mut self, end: End) -> End {
        if matches!(end, End::Whole) {
            let mut lines = std::mem::take(&mut self.lines);
            lines.finish(|line| self.row(line));
        }
        match end {
            End::Whole if self.rows > ROWS_MAX => End::Cut(Code::T0400, TOO_MANY),
            end => end,
        }
    }

    fn row(&mut self, line: Line<'_>) {
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return;
        }
        let read = match line {
            Line::TooLong => Err(unreadable("행이 64 KiB를 초과했습니다.")),
            Line::Row(text) => self.parse(text).map(|(request, billing_key)| {
                self.requests.push(request);
                billing_key
            }),
        };
        self.waiting.push(Row { number: self.rows, read });
    }

    fn parse(&self, text: &[u8]) -> Result<(Request, String), Unread> {
        let fields = Fields::parse(text)
            .map_err(|fault| Unread { distinct_key: None, body: RefusalBody::from(fault) })?;
        let (parsed, distinct_key) = bulk::parse(&fields).map_err(|refusal| Unread {
            distinct_key: fields.text("distinct_key").ok().flatten().map(str::to_owned),
            body: self.refusal(&refusal),
        })?;
        let partner = self.entry.partner.no;
        let key = self.call.api.hub.serial(Kind::BillingKey, partner, &parsed.billing_tran_id);
        let request = Request {
            partner,
            key: key.map(KeyNo),
            amount: parsed.amount,
            sub_id: parsed.sub_id,
            distinct_key,
            print: parsed.print,
        };
        Ok((request, parsed.billing_tran_id))
    }

    fn refusal(&self, refusal: &Refusal) -> RefusalBody {
        let partner = self.entry.partner.no;
        RefusalBody::of(refusal, |kind, serial| self.call.api.hub.id(kind, partner, serial))
    }

    /// Gives the next slice to the writer.
    fn send(&mut self) -> BoxFuture<'static, Slice> {
        let count = self.waiting.len().min(SLICE_ROWS);
        let rows: Vec<Row> = self.waiting.drain(..count).collect();
        let readable = rows.iter().filter(|row| row.read.is_ok()).count();
        let requests: Arc<Vec<Request>> = Arc::new(self.requests.drain(..readable).collect());
        if requests.is_empty() {
            return Box::pin(std::future::ready(Slice { rows, requests, told: None }));
        }
        let (partner, group) = (self.entry.partner.no, self.group);
        let hub = Arc::clone(&self.call.api.hub);
        Box::pin(async move {
            let bulk = Bulk { partner, group, rows: Arc::clone(&requests) };
            let command = Command::Bulk(Box::new(bulk));
            let told = Some(hub.writer.submit_waiting(Actor::Partner, command).await);
            Slice { rows, requests, told }
        })
    }

    /// Answers a slice, line by line. Nobody may be left to read them; the rows are taken all the same.
    fn answer(&mut self, slice: Slice) {
        let Slice { rows, requests, told } = slice;
        let mut out = Vec::with_capacity(rows.len() * 384);
        let (whole, replies) = match told {
            Some(Ok(Reply::Bulk(replies))) => (None, replies),
            Some(Err(refusal)) => (Some(refusal), Vec::new()),
            Some(Ok(_)) => (Some(Code::T0999.into()), Vec::new()),
            None => (None, Vec::new()),
        };
        let (mut replies, mut requests) = (replies.into_iter(), requests.iter());
        for row in &rows {
            match &row.read {
                Err(unread) => {
                    let key = unread.distinct_key.as_deref();
                    self.write(&mut out, row.number, key, unread.body.clone());
                }
                Ok(billing_key) => {
                    // As many as rows that could be read; a line is never made up for another.
                    let Some(request) = requests.next() else { break };
                    let missing = || Err(whole.clone().unwrap_or(Code::T0999.into()));
                    match replies.next().unwrap_or_else(missing) {
                        Ok(taken) => {
                            self.taken(&mut out, row.number, request, billing_key, &taken);
                        }
                        Err(refusal) => {
                            let key = Some(request.distinct_key.as_str());
                            let body = self.refused(&refusal);
                            self.write(&mut out, row.number, key, body);
                        }
                    }
                }
            }
        }
        let _ = self.answers.send(Bytes::from(out));
    }

    fn taken(
        &mut self,
        out: &mut Vec<u8>,
        row: usize,
        request: &Request,
        billing_key: &str,
        taken: &Requested,
    ) {
        self.group = Some(taken.group);
        if self.group_text.0 != Some(taken.group) {
            let hub = &self.call.api.hub;
            let text = hub.id(Kind::Group, self.entry.partner.no, taken.group.0);
            self.group_text = (Some(taken.group), text);
        }
        if self.time_text.0 != Some(taken.at) {
            self.time_text = (Some(taken.at), taken.at.seoul_17());
        }
        let line = TakenLine {
            row,
            result: RESULT,
            message: MESSAGE,
            sub_id: request.sub_id.as_deref().unwrap_or_default(),
            distinct_key: &request.distinct_key,
            group_key: &self.group_text.1,
            billing_tran_id: billing_key,
            tran_amt: request.amount.to_string(),
            remain_amt: taken.remain.to_string(),
            print_content: &taken.print,
            api_tran_dtm: &self.time_text.1,
        };
        self.call.api.hub.metrics.bulk_row(RESULT);
        put(out, &line);
    }

    fn refused(&self, refusal: &Refusal) -> RefusalBody {
        if refusal.code == Code::T0999 {
            let reference = self.call.request_id.to_string();
            tracing::error!(request_id = %reference, "a bulk row was refused inside");
            return RefusalBody::internal(reference);
        }
        self.refusal(refusal)
    }

    fn write(&self, out: &mut Vec<u8>, row: usize, key: Option<&str>, body: RefusalBody) {
        self.call.api.hub.metrics.bulk_row(body.result);
        put(out, &RefusedLine { row, distinct_key: key, body });
    }

    /// The line after the last row: why the rest was not read.
    fn cut(&self, code: Code, why: &str) {
        let message = format!("{} - {why}", code.entry().ko);
        let body = RefusalBody { message, ..RefusalBody::from(code) };
        let mut out = Vec::new();
        self.write(&mut out, self.rows.min(ROWS_MAX) + 1, None, body);
        let _ = self.answers.send(Bytes::from(out));
    }
}

const TOO_SLOW: &str = "본문이 제시간에 도착하지 않았습니다.";
const TOO_MUCH: &str = "본문이 32 MiB를 초과했습니다.";
const TOO_MANY: &str = "100,000행까지만 받습니다.";

fn unreadable(why: &str) -> Unread {
    let message = format!("{} - {why}", Code::T0400.entry().ko);
    let body = RefusalBody { message, ..RefusalBody::from(Code::T0400) };
    Unread { distinct_key: None, body }
}

fn put(out: &mut Vec<u8>, line: &impl serde::Serialize) {
    // Our own types always serialise into memory.
    if serde_json::to_writer(&mut *out, line).is_ok() {
        out.push(b'\n');
    }
}
