//! Statements that go out together and are answered one after another.

use crate::port::StoreError;
use futures_util::future::{FutureExt, join_all};
use std::pin::Pin;

/// A statement that has been asked for.
pub(super) type Asked<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, tokio_postgres::Error>> + Send + 'a>>;

/// All of them, in one round trip and in their order: each is put on the wire when it is first polled. The
/// first error is told once every one of them has been answered. `one_by_one`: each in a round trip of its
/// own.
pub(super) async fn in_order<'a, T>(
    one_by_one: bool,
    asked: impl Iterator<Item = Asked<'a, T>>,
) -> Result<Vec<T>, StoreError> {
    if one_by_one {
        let mut told = Vec::new();
        for one in asked {
            told.push(one.await?);
        }
        return Ok(told);
    }
    let mut started = Vec::new();
    for mut one in asked {
        // Sent now, whatever order they are polled in afterwards.
        let first = (&mut one).now_or_never();
        started.push((first, one));
    }
    let rest = started.into_iter().map(|(first, one)| async move {
        match first {
            Some(done) => done,
            None => one.await,
        }
    });
    let mut told = Vec::new();
    for answer in join_all(rest).await {
        told.push(answer?);
    }
    Ok(told)
}
