//! Connections to the database: where it is, how a session has to be, and who drives it.

use crate::port::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Nobody waits longer for one host to take a connection: of three, two that are silent must leave time for
/// the third.
const CONNECT: Duration = Duration::from_millis(250);
/// Nor for it to be ready for use.
const HOST: Duration = Duration::from_millis(500);
/// A peer that is silent for so long with something unacknowledged is gone.
const SILENCE: Duration = Duration::from_secs(5);
/// Servers in doubt that are kept in mind: more than there are hosts.
const DOUBTED_MAX: usize = 16;
/// Older servers are not tried.
const SERVER_MIN: i32 = 140_000;

/// Every session of ours. Plans are made once, and none may be good only for a table that is small: by index,
/// and joined in the order in which they are written. A session that holds locks and does nothing is ended by
/// the server.
pub(super) const SESSION: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
     SET join_collapse_limit = 1; SET from_collapse_limit = 1; \
     SET idle_in_transaction_session_timeout = '10s'; SET client_min_messages = warning; \
     SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') \
     = 'remote_apply' THEN 'remote_apply' ELSE 'on' END, FALSE); \
     SET default_transaction_isolation = 'read committed'";

/// The database and the thread on which its connections are driven.
pub struct Link {
    runtime: Option<Runtime>,
    config: Config,
    /// The same for each host alone.
    hosts: Vec<Config>,
    /// Which of them had the primary when it was last looked for.
    last: AtomicUsize,
    /// Those that called themselves primary and did not acknowledge what they were asked for.
    doubted: Mutex<Vec<Server>>,
    tls: MakeRustlsConnect,
}

/// A server from its start to its end, by whatever address it was reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Server(String);

/// One session with its prepared statements.
pub(super) struct Session {
    pub client: Client,
    pub server: Server,
    statements: HashMap<String, Statement>,
    /// A warning came: what the server says to have committed may not be on the standby.
    warned: Arc<AtomicBool>,
    /// Every statement waits for the one before it: the yardstick of the benchmark.
    pub one_by_one: bool,
}

impl Link {
    /// `url` is `postgres://user@host1,host2/name`; `ca` the certificates that a server's one has to hang
    /// on. With it, or where the address says `sslmode=require`, no connection is made in the clear.
    pub fn new(
        url: &str,
        password: Option<&SecretString>,
        ca: Option<&Path>,
    ) -> Result<Link, StoreError> {
        // What is wrong is not repeated: an address may hold a password.
        let refused = |text: &str| StoreError::Refused(text.to_owned());
        let form = "the address of the store cannot be read: postgres://user@host1,host2/name";
        let mut config: Config = url.parse().map_err(|_| refused(form))?;
        if config.get_password().is_some() {
            return Err(refused(
                "the address of the store holds a password: keep it in store_password_file",
            ));
        }
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        alike(&mut config);
        if ca.is_some() {
            config.ssl_mode(SslMode::Require);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ichae-postgres")
            .enable_all()
            .build()
            .map_err(StoreError::io("the thread of the database cannot be started"))?;
        let hosts = each_host(&config);
        let tls = MakeRustlsConnect::new(trust(ca)?);
        let (last, doubted) = (AtomicUsize::new(0), Mutex::default());
        Ok(Link { runtime: Some(runtime), config, hosts, last, doubted, tls })
    }

    /// Whether what goes over the wire can be read by others: no TLS is demanded, and it leaves the machine.
    pub fn in_the_clear(&self) -> bool {
        let near = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        };
        self.config.get_ssl_mode() != SslMode::Require && !self.config.get_hosts().iter().all(near)
    }

    fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    pub(super) fn handle(&self) -> Handle {
        match &self.runtime {
            Some(runtime) => runtime.handle().clone(),
            None => Handle::current(),
        }
    }

    /// Waits for work that is done on the database's thread, whatever thread this is.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        self.handle().spawn(async move {
            let done = timeout(limit, work).await;
            // Whoever asked waits for it.
            let _ = tell.send(done.unwrap_or_else(|_| Err(StoreError::Busy)));
        });
        told.recv().unwrap_or(Err(StoreError::Busy))
    }

    /// A new session on the primary, ready for use. One host after the other, none of them for long: one
    /// that takes a connection and says nothing, as a frozen machine does, must not keep us from the next.
    /// One that is in doubt is taken only where no other takes writes.
    pub(super) async fn session(&self) -> Result<Session, StoreError> {
        let first = self.last.load(Ordering::Relaxed);
        let (mut refused, mut in_doubt) = (StoreError::Busy, None);
        for at in 0..self.hosts.len() {
            let host = (first + at) % self.hosts.len();
            let made = match self.hosts.len() {
                // There is no other to go on to: as long as the caller waits.
                1 => Ok(self.session_on(&self.hosts[host]).await),
                _ => timeout(HOST, self.session_on(&self.hosts[host])).await,
            };
            match made {
                Ok(Ok(session)) if self.doubts(&session.server) => in_doubt = Some(session),
                Ok(Ok(session)) => {
                    self.last.store(host, Ordering::Relaxed);
                    return Ok(session);
                }
                Ok(Err(error)) => refused = error,
                Err(_) => {}
            }
        }
        in_doubt.ok_or(refused)
    }

    fn doubted(&self) -> MutexGuard<'_, Vec<Server>> {
        // Nothing is left half done by whoever panicked.
        self.doubted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It did not acknowledge something: it may have lost its standbys to another one. Until it does, or
    /// none without a doubt takes writes, nothing is asked of it.
    pub(super) fn doubt(&self, server: &Server) {
        let mut doubted = self.doubted();
        if !doubted.contains(server) {
            doubted.push(server.clone());
        }
        // A server that is started again is another one; those that are gone are forgotten.
        if doubted.len() > DOUBTED_MAX {
            doubted.remove(0);
        }
    }

    pub(super) fn doubts(&self, server: &Server) -> bool {
        self.doubted().contains(server)
    }

    /// It acknowledged something.
    pub(super) fn trust(&self, server: &Server) {
        self.doubted().retain(|doubted| doubted != server);
    }

    async fn session_on(&self, host: &Config) -> Result<Session, StoreError> {
        let (client, connection) = host.connect(self.tls()).await?;
        let warned = Arc::new(AtomicBool::new(false));
        tokio::spawn(drive(connection, Arc::clone(&warned)));
        client.batch_execute(SESSION).await?;
        let server = durable(&client).await?;
        Ok(Session { client, server, statements: HashMap::new(), warned, one_by_one: false })
    }

    /// One whose statements the server itself ends after so long: a session that is given up must not wait
    /// on for locks, and be one of those that a server has for all. A wait for a standby nothing ends.
    pub(super) async fn bounded(&self, limit: Duration) -> Result<Session, StoreError> {
        let session = self.session().await?;
        let limit = limit.as_millis();
        let set = format!(
            "SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}"
        );
        session.client.batch_execute(&set).await?;
        Ok(session)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // May be dropped where no thread may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The same settings, with one host in each.
fn each_host(config: &Config) -> Vec<Config> {
    let ports = config.get_ports();
    let one = |(at, host): (usize, &Host)| {
        let mut one = Config::new();
        match host {
            Host::Tcp(name) => one.host(name),
            Host::Unix(path) => one.host_path(path),
        };
        if let Some(port) = ports.get(at).or(ports.first()) {
            one.port(*port);
        }
        if let Some(user) = config.get_user() {
            one.user(user);
        }
        if let Some(password) = config.get_password() {
            one.password(password);
        }
        if let Some(name) = config.get_dbname() {
            one.dbname(name);
        }
        if let Some(options) = config.get_options() {
            one.options(options);
        }
        one.ssl_mode(config.get_ssl_mode());
        alike(&mut one);
        one
    };
    config.get_hosts().iter().enumerate().map(one).collect()
}

/// What every connection has.
fn alike(config: &mut Config) {
    config
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        // One that takes connections and says nothing is not always the first to be asked.
        .load_balance_hosts(LoadBalanceHosts::Random)
        .application_name("ichae")
        .connect_timeout(CONNECT)
        .tcp_user_timeout(SILENCE)
        .keepalives_idle(SILENCE);
}

/// Whom a server's certificate has to come from.
fn trust(ca: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        let unread = |error: &dyn std::fmt::Display| {
            StoreError::Refused(format!("the certificates in {}: {error}", path.display()))
        };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| unread(&error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unread(&error))?;
            roots.add(certificate).map_err(|error| unread(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Refused(format!("TLS to the store: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Drives a session, and remembers that a warning came.
async fn drive<S, T>(mut connection: Connection<S, T>, warned: Arc<AtomicBool>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(message) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => {
                if notice.parsed_severity() == Some(Severity::Warning) {
                    warned.store(true, Ordering::SeqCst);
                    tracing::warn!(message = notice.message(), "the database warns");
                }
            }
            Ok(_) => {}
            // Whoever has a statement under way is told the same.
            Err(_) => return,
        }
    }
}

/// A server that may forget what it said to have committed is refused. That a commit waits for the disk, and
/// for a standby where there has to be one, the session itself has set. Which server it is.
async fn durable(client: &Client) -> Result<Server, StoreError> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('fsync'), \
               current_setting('full_page_writes'), concat_ws(' ', pg_postmaster_start_time(), \
               current_setting('cluster_name'), current_setting('port'))";
    let row = client.query_one(sql, &[]).await?;
    let (version, fsync, pages): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
    if version < SERVER_MIN {
        return Err(StoreError::Refused("PostgreSQL 14 or newer is needed".to_owned()));
    }
    if fsync != "on" || pages != "on" {
        return Err(StoreError::Refused(format!(
            "the database may lose what it has committed: fsync {fsync}, full_page_writes {pages}; \
             both have to be on"
        )));
    }
    Ok(Server(row.get(3)))
}

impl Session {
    pub async fn prepared(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Whether a warning came since the last call.
    pub fn warned(&self) -> bool {
        self.warned.swap(false, Ordering::SeqCst)
    }
}

/// What an error says of the transaction that it came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The server said so: it was rolled back.
    RolledBack,
    /// Rolled back because of others; the same again may go through.
    Again,
    /// The connection, or the server, went away: nobody said what became of it.
    Lost,
}

pub(super) fn fate(error: &StoreError) -> Fate {
    let StoreError::Postgres(error) = error else { return Fate::RolledBack };
    let Some(said) = error.as_db_error() else {
        // What could not even be put on the wire is told apart by the session being open.
        return Fate::Lost;
    };
    let code = said.code();
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return Fate::Again;
    }
    let class = &code.code()[..2];
    let fatal = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    // Shutdown, crash of another session, a primary that became a standby.
    if fatal || class == "08" || class == "57" || code.code() == "25006" {
        return Fate::Lost;
    }
    Fate::RolledBack
}
