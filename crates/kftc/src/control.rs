//! The control API, for whoever runs the simulator; served to this machine only.

use crate::answer::{self, Body};
use crate::dealer::Dealer;
use crate::error::KftcError;
use crate::journal::audit::read_journal;
use crate::journal::statement;
use crate::plan::Plan;
use crate::route::Centre;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Method, Response, StatusCode};
use ichae_domain::time::Day;
use tokio::sync::mpsc;

/// Pieces of a statement that wait for their reader.
const PIECES: usize = 8;

/// Answers a call to `/control/<path>`.
pub async fn call(
    centre: &Centre,
    method: &Method,
    path: &str,
    query: Option<&str>,
    body: &[u8],
) -> Response<Body> {
    let done = match (method.as_str(), path) {
        ("PUT", "plan") => put_plan(centre, body).await,
        ("POST", "calm") => calm(centre).await,
        ("GET", "journal") => journal(centre).await,
        ("GET", "statement") => show_statement(centre, query.unwrap_or_default()).await,
        _ => return answer::text(StatusCode::NOT_FOUND, "no such control"),
    };
    done.unwrap_or_else(|error| answer::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// Takes a plan in the place of the one in force; scripts begin anew, a maintenance ends.
async fn put_plan(centre: &Centre, body: &[u8]) -> Result<Response<Body>, KftcError> {
    let text = String::from_utf8_lossy(body);
    let plan = match Plan::parse(&text) {
        Ok(plan) => plan,
        Err(error) => return Ok(answer::text(StatusCode::BAD_REQUEST, error.to_string())),
    };
    centre
        .desk
        .ask(|bank, _| {
            bank.dealer = Dealer::new(plan);
            Ok(())
        })
        .await?;
    centre.gate.open();
    Ok(no_content())
}

async fn calm(centre: &Centre) -> Result<Response<Body>, KftcError> {
    centre
        .desk
        .ask(|bank, _| {
            bank.dealer.calm();
            Ok(())
        })
        .await?;
    centre.gate.open();
    Ok(no_content())
}

async fn journal(centre: &Centre) -> Result<Response<Body>, KftcError> {
    due_is_done(centre).await?;
    let path = centre.settings.journal.clone();
    let read = tokio::task::spawn_blocking(move || read_journal(&path));
    let summary = read.await.map_err(std::io::Error::other)??;
    Ok(answer::json(&serde_json::json!(summary)))
}

/// A day's statement, as it is read from the file.
async fn show_statement(centre: &Centre, query: &str) -> Result<Response<Body>, KftcError> {
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let date = fields.find(|(name, _)| name == "date");
    let Some(day) = date.and_then(|(_, date)| Day::parse(&date)) else {
        return Ok(answer::text(StatusCode::BAD_REQUEST, "date=yyyymmdd"));
    };
    due_is_done(centre).await?;
    let (pieces, waiting) = mpsc::channel(PIECES);
    let path = centre.settings.journal.clone();
    tokio::task::spawn_blocking(move || {
        let given = statement::write(&path, day, |piece| pieces.blocking_send(Ok(piece)).is_ok());
        if let Err(error) = given {
            // The reader sees a body that is cut; it must not take half a statement for one.
            let _ = pieces.blocking_send(Err(std::io::Error::other(error)));
        }
    });
    let frames = futures_util::stream::unfold(waiting, |mut waiting| async {
        let piece = waiting.recv().await?;
        Some((piece.map(|piece| Frame::data(Bytes::from(piece))), waiting))
    });
    Ok(answer::with(StatusCode::OK, answer::CSV, StreamBody::new(frames).boxed_unsync()))
}

/// Every batch begins with what is due.
async fn due_is_done(centre: &Centre) -> Result<(), KftcError> {
    centre.desk.ask(|_, _| Ok(())).await
}

fn no_content() -> Response<Body> {
    answer::text(StatusCode::NO_CONTENT, "")
}
