//! `ichae key rotate`: new sealing and blind-index keys, and every row sealed again, under load.

use super::request::AdminError;
use crate::hub::Hub;
use crate::token::{Tokens, Use};
use ichae_domain::code::Code;
use ichae_domain::refusal::Refusal;
use ichae_store::keys::KeyFolder;
use serde_json::{Value, json};
use std::sync::Arc;

/// Rows that are sealed again between two commits of others.
const SLICE: usize = 256;

pub(super) async fn rotate(
    hub: &Arc<Hub>,
    progress: &mut (impl FnMut(String) + Send),
) -> Result<Value, AdminError> {
    let folder = hub.key_folder.clone().ok_or_else(|| {
        AdminError::plain("this hub's keys are in memory only: nothing to rotate")
    })?;
    let others = hub
        .read(|r| r.other_nodes())
        .await
        .map_err(|error| AdminError::plain(error.to_string()))?;
    if others > 0 {
        // What this node seals from then on the others could not open.
        return Err(Refusal::from(Code::P0150).into());
    }
    let keys = rotate_folder(folder).await?;
    // First the keys, then the tokens: a token under the new key is never unreadable.
    hub.sealer.swap(keys.clone())?;
    for (signed, used) in [(&hub.tokens, Use::Token), (&hub.auth_keys, Use::AuthKey)] {
        signed.store(Arc::new(Tokens::new(&keys.sealing, hub.environment.name(), used)));
    }
    progress(format!("new sealing key {}; sealing rows again", hub.sealer.active()));
    let mut after = 0;
    let mut slices: usize = 0;
    while let Some(last) = hub.writer.reseal(after, SLICE).await? {
        after = last;
        slices += 1;
        if slices.is_multiple_of(40) {
            progress(format!("{} rows sealed again", slices * SLICE));
        }
    }
    Ok(json!({ "sealing_key": hub.sealer.active(), "done": true }))
}

async fn rotate_folder(folder: KeyFolder) -> Result<ichae_store::keys::Keys, AdminError> {
    let rotated = tokio::task::spawn_blocking(move || folder.rotate()).await;
    rotated.map_err(|_| AdminError::plain("the rotation was given up"))?.map_err(AdminError::from)
}
