//! Structured logs on stderr.

use anyhow::Context;
use ichae_server::config::LogFormat;
use tracing_subscriber::EnvFilter;

/// Starts logging. The filter is `info`, `debug` or as `info,ichae_server=debug`.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    // The migrations' library tells where it was built.
    let quiet = format!("refinery_core=warn,{filter}");
    let filter = EnvFilter::try_new(quiet).with_context(|| format!("log filter {filter:?}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}
