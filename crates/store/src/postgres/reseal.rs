//! Rows sealed again under the newest keys, a slice at a time; see the embedded store.

use super::batch::PostgresBackend;
use super::link::Session;
use super::open::know_keys;
use super::shards::MOVING;
use crate::port::StoreError;
use crate::prints;
use crate::seal::Sealer;
use ichae_domain::ident::PartnerNo;
use std::sync::Arc;
use std::time::Duration;

/// One slice takes far less.
const LIMIT: Duration = Duration::from_secs(30);

const SLICE: &str = "(SELECT no, 0, partner, sub_id, bank, account FROM billing_keys WHERE no > $1 \
       ORDER BY no LIMIT $2) \
     UNION ALL (SELECT no, 1, 0, NULL, '', instrument FROM payers WHERE no > $1 ORDER BY no LIMIT $2) \
     UNION ALL (SELECT no, 2, 0, NULL, '', texts FROM charges WHERE no > $1 ORDER BY no LIMIT $2) \
     ORDER BY 1 LIMIT $2";

/// Seals up to `limit` rows after `after` again. The last one's serial, or `None` where there are no more.
pub(super) fn slice(
    backend: &PostgresBackend,
    after: i64,
    limit: usize,
) -> Result<Option<i64>, StoreError> {
    let parts = backend.parts();
    let (link, sealer) = (Arc::clone(&parts.link), Arc::clone(&parts.sealer));
    parts.link.wait(LIMIT, async move {
        let session = link.session().await?;
        let still = "SELECT pg_try_advisory_lock_shared($1)";
        if !session.client.query_one(still, &[&MOVING]).await?.get::<_, bool>(0) {
            return Err(StoreError::Refused(
                "a shard moves from here or to here: rotate the keys when that is done".to_owned(),
            ));
        }
        know_keys(&session, &sealer.keys()).await?;
        if after == 0 {
            secrets(&session, &sealer).await?;
        }
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let next = rows(&session, &sealer, after, limit).await?;
        if next.is_none() {
            forget(&session, &sealer).await?;
        }
        Ok(next)
    })
}

async fn rows(
    session: &Session,
    sealer: &Sealer,
    after: i64,
    limit: i64,
) -> Result<Option<i64>, StoreError> {
    let client = &session.client;
    let rows = client.query(SLICE, &[&after, &limit]).await?;
    client.batch_execute("BEGIN").await?;
    for row in &rows {
        let (no, kind, sealed): (i64, i32, Vec<u8>) = (row.get(0), row.get(1), row.get(5));
        match kind {
            0 => key(session, sealer, row, &sealed).await?,
            1 => {
                let sealed = sealer.seal_instrument(no, &sealer.open_instrument(no, &sealed)?)?;
                let sql = "UPDATE payers SET instrument = $2 WHERE no = $1";
                client.execute(sql, &[&no, &sealed]).await?;
            }
            _ => {
                let sealed = sealer.seal_order(no, &sealer.open_order(no, &sealed)?)?;
                client
                    .execute("UPDATE charges SET texts = $2 WHERE no = $1", &[&no, &sealed])
                    .await?;
            }
        }
    }
    client.batch_execute("COMMIT").await?;
    let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) == limit;
    Ok(rows.last().filter(|_| full).map(|row| row.get(0)))
}

async fn key(
    session: &Session,
    sealer: &Sealer,
    row: &tokio_postgres::Row,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let (no, partner): (i64, i64) = (row.get(0), row.get(2));
    let (sub_id, bank): (Option<String>, String) = (row.get(3), row.get(4));
    let account = sealer.open_account(no, sealed)?;
    let sealed = sealer.seal_account(no, &account)?;
    let prints = sealer.fingerprints(PartnerNo(partner), sub_id.as_deref(), &bank, &account);
    let sql = "UPDATE billing_keys SET account = $2, fingerprint = $3 WHERE no = $1";
    session.client.execute(sql, &[&no, &sealed, &&prints[0].0[..]]).await?;
    Ok(())
}

async fn secrets(session: &Session, sealer: &Sealer) -> Result<(), StoreError> {
    let sql = "SELECT no, webhook_secret FROM partners WHERE webhook_secret IS NOT NULL";
    for row in session.client.query(sql, &[]).await? {
        let (no, old): (i64, Vec<u8>) = (row.get(0), row.get(1));
        let sealed = sealer.seal_secret(no, &sealer.open_secret(no, &old)?)?;
        // Not over one that was made meanwhile.
        let sql = "UPDATE partners SET webhook_secret = $2 WHERE no = $1 AND webhook_secret = $3";
        session.client.execute(sql, &[&no, &sealed, &old]).await?;
    }
    Ok(())
}

/// Another node may still seal under an older key, so only keys that no row is under are forgotten.
async fn forget(session: &Session, sealer: &Sealer) -> Result<(), StoreError> {
    let oldest = i64::from(prints::oldest_in_use(&sealer.keys()));
    let under = "SELECT head FROM (SELECT substr(account, 1, 4) AS head FROM billing_keys \
                 UNION ALL SELECT substr(webhook_secret, 1, 4) FROM partners \
                 UNION ALL SELECT substr(instrument, 1, 4) FROM payers \
                 UNION ALL SELECT substr(texts, 1, 4) FROM charges) AS heads WHERE head IS NOT NULL \
                 ORDER BY head LIMIT 1";
    let head = session.client.query_opt(under, &[]).await?;
    let used = head.and_then(|head| Sealer::sealed_under(head.get(0))).map_or(oldest, i64::from);
    let sql = "DELETE FROM key_prints WHERE kind IN ($1, $2) AND id < $3";
    let before = oldest.min(used);
    session.client.execute(sql, &[&prints::SEALING, &prints::INDEX, &before]).await?;
    Ok(())
}
