//! `wharf serve`: from a configuration to a running registry, and back down again.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use wharf_blob::fs::FsStore;
use wharf_http::serve::{ConnectionGauges, Listener, ServeOptions, Served, TrustedProxies, serve};
use wharf_http::{App, Metrics, Options};
use wharf_meta::{Durability, Meta};
use wharf_registry::manage::OrgCreation;
use wharf_registry::{Anonymous, Registry, Secret, Settings, Strictness, Visibility, outgoing};

use crate::clock::SystemClock;
use crate::config::{self, Config, Loaded, Origin, Peer};
use crate::folder::DataFolder;
use crate::systemd::Inherited;
use crate::tls::{Reloader, SelfSigned};
use crate::welcome::Welcome;
use crate::{audit, control, descriptors, listen, systemd, telemetry, tls};

/// How often expired uploads are looked for.
const SWEEP: Duration = Duration::from_mins(1);
/// How long a client may leave its answer unread.
const WRITE_IDLE: Duration = Duration::from_mins(5);
/// How long work on the disk may still take after the drain. A disk that hangs must not keep the process.
const LAST_WORK: Duration = Duration::from_secs(5);

/// Runs a server until it is told to stop.
pub(crate) fn run(loaded: &Loaded, inherited: Vec<Inherited>) -> anyhow::Result<()> {
    telemetry::start(&loaded.config.log)?;
    descriptors::raise(loaded.config.limits.connections);
    let folder = DataFolder::take(&loaded.config.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    run_to_end(runtime, Server::start(loaded, &folder, inherited), LAST_WORK)
}

/// Runs `work`, and then waits for what it left running, `patience` at most.
fn run_to_end<T>(runtime: Runtime, work: impl Future<Output = T>, patience: Duration) -> T {
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(patience);
    outcome
}

/// The registry in `folder`, with its schema up to date.
pub(crate) async fn open_registry(config: &Config, folder: &DataFolder) -> anyhow::Result<Arc<Registry>> {
    let meta = Meta::open(&folder.database(), Durability::Synced)
        .with_context(|| format!("cannot open the database {}", folder.database().display()))?;
    let store = FsStore::open(folder.path()).with_context(|| format!("cannot open {}", folder.path().display()))?;
    let registry = Registry::open(meta, Arc::new(store), Arc::new(SystemClock::default()), settings(config)?).await?;
    Ok(Arc::new(registry))
}

struct Server {
    app: Arc<App>,
    stop: watch::Receiver<bool>,
    options: ServeOptions,
}

impl Server {
    async fn start(loaded: &Loaded, folder: &DataFolder, inherited: Vec<Inherited>) -> anyhow::Result<()> {
        let config = &loaded.config;
        let registry = open_registry(config, folder).await?;
        let strays = registry.sweep_strays().await?;
        if strays > 0 {
            tracing::info!(strays, "freed uploads that a crash cut");
        }
        let opened = Opened::all(loaded, folder, inherited).await?;
        let gauges = Arc::new(ConnectionGauges::default());
        let app = App::new(Arc::clone(&registry), options(config), Metrics::new(Arc::clone(&gauges)));
        let stop = stop_on_signal(Arc::clone(&app))?;
        // Before anybody is told where the server is: a signal that comes at once is neither lost nor its end.
        let hangups = signal(SignalKind::hangup())?;
        let server = Self { app, stop, options: serve_options(config, gauges, opened.certificates.clone())? };
        // After everything that can fail: the password of an account that is made must also be shown.
        welcome(loaded, &opened, first_password(loaded, &registry).await?.as_ref());

        background(&server, &registry, config, opened.control, opened.certificates, hangups);
        let metrics = server.serve_metrics(opened.metrics);
        server.until_stopped(opened.listeners).await;
        // Until here, whoever balances the load could read that this server drains.
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        Ok(registry.settle().await?)
    }

    async fn until_stopped(self, listeners: Vec<Listener>) {
        let served = serve(listeners, self.app.router(), self.options, stopped(self.stop)).await;
        if served.aborted > 0 {
            tracing::warn!(requests = served.aborted, "stopped with requests still running; their uploads can go on");
        }
        if !self.app.finish(LAST_WORK).await {
            tracing::warn!("stopped with pushes still under way; what was acknowledged of them is kept");
        }
        tracing::info!("stopped");
    }

    fn serve_metrics(&self, listeners: Vec<Listener>) -> Option<tokio::task::JoinHandle<Served>> {
        if listeners.is_empty() {
            return None;
        }
        let options = ServeOptions { tls: None, proxy_protocol: false, ..self.options.clone() };
        let router = self.app.metrics_router();
        Some(tokio::spawn(async move { serve(listeners, router, options, std::future::pending()).await }))
    }
}

/// What a start may find taken, missing or wrong: open, with nothing accepted yet.
struct Opened {
    own: Option<SelfSigned>,
    certificates: Option<Arc<Reloader>>,
    listeners: Vec<Listener>,
    metrics: Vec<Listener>,
    control: UnixListener,
}

impl Opened {
    async fn all(loaded: &Loaded, folder: &DataFolder, inherited: Vec<Inherited>) -> anyhow::Result<Self> {
        let config = &loaded.config;
        let own = self_signed(config, folder)?;
        Ok(Self {
            certificates: certificates(config, own.clone())?,
            own,
            listeners: listeners(loaded, inherited).await?,
            metrics: match &config.metrics.listen {
                Some(address) => listen::open(std::slice::from_ref(address), vec![]).await?,
                None => vec![],
            },
            control: control::listen(folder.path())?,
        })
    }
}

/// Tells people, the log and systemd that the server is there.
fn welcome(loaded: &Loaded, opened: &Opened, password: Option<&Secret>) {
    let config = &loaded.config;
    let listeners: Vec<String> = opened.listeners.iter().map(listen::describe).collect();
    let url = url(config, &listeners);
    let trust = opened.own.as_ref().map(|own| own.instructions(url.trim_start_matches("https://")));
    let data = config.data.display().to_string();
    // It need not be on PATH.
    let program = std::env::current_exe().map_or_else(|_| "wharf".into(), |path| path.display().to_string());
    let trust = trust.as_deref();
    let welcome = Welcome { url: &url, listeners: &listeners, password, program: &program, data: &data, trust };
    // Standard output may be closed or full; the server runs all the same.
    if let Err(error) = say(&welcome.text())
        && password.is_some()
    {
        tracing::warn!(%error, "the password of admin could not be printed: {program} admin reset-password --data {data}");
    }
    if let Some(open) = in_clear(config, &opened.listeners) {
        tracing::warn!(
            "{open} is served without TLS beyond this machine: passwords travel in clear unless a proxy adds TLS"
        );
    }
    tracing::info!(url, listeners = listeners.join(", "), data, version = env!("CARGO_PKG_VERSION"), "serving");
    systemd::ready(&format!("serving {url}"));
}

/// A plain listener that other machines reach, where nothing says that a proxy stands before it.
fn in_clear(config: &Config, listeners: &[Listener]) -> Option<String> {
    let has_tls = config.tls.self_signed || config.tls.certificate.is_some();
    let behind_proxy =
        !config.trusted_proxies.is_empty() || config.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    if has_tls || behind_proxy {
        return None;
    }
    let reached = |listener: &&Listener| match listener {
        Listener::Tcp(socket) => socket.local_addr().is_ok_and(|address| !address.ip().to_canonical().is_loopback()),
        Listener::Unix(_) => false,
    };
    listeners.iter().find(reached).map(listen::describe)
}

/// The clock's tick of what happens without a request, and the operator's socket.
fn background(
    server: &Server,
    registry: &Arc<Registry>,
    config: &Config,
    control: UnixListener,
    certificates: Option<Arc<Reloader>>,
    mut hangups: Signal,
) {
    tokio::spawn(control::serve(control, Arc::clone(registry)));
    tokio::spawn(sweep(Arc::clone(registry), server.stop.clone()));
    tokio::spawn(audit::tend(Arc::clone(registry), server.stop.clone()));
    if let Some(target) = &config.audit.syslog {
        tokio::spawn(audit::forward(Arc::clone(registry), target.clone(), server.stop.clone()));
    }
    tokio::spawn(systemd::watchdog());
    match certificates {
        Some(certificates) => {
            tokio::spawn(certificates.watch(hangups));
        }
        // Unhandled, the signal would end the process of an operator who expects a reload.
        None => drop(tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                tracing::info!("SIGHUP: there is no certificate to reload; other settings need a restart");
            }
        })),
    }
}

async fn sweep(registry: Arc<Registry>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = ticks.tick() => match registry.sweep_uploads().await {
                Ok(0) => {}
                Ok(uploads) => tracing::info!(uploads, "freed uploads that have expired"),
                Err(error) => tracing::error!(%error, "could not free expired uploads"),
            }
        }
    }
}

/// SIGTERM and SIGINT begin the drain; a second one ends it.
fn stop_on_signal(app: Arc<App>) -> anyhow::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping: no new work is taken, running requests are given time");
        systemd::stopping();
        app.drain();
        stop.send_replace(true);
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::warn!("told to stop again: ending at once");
        std::process::exit(1);
    });
    Ok(stopped)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn first_password(loaded: &Loaded, registry: &Registry) -> anyhow::Result<Option<Secret>> {
    if registry.has_users().await? {
        return Ok(None);
    }
    let given = loaded.admin_password.as_ref().map(config::AdminPassword::read).transpose()?;
    Ok(registry.ensure_admin(given).await?)
}

/// The default address is not meant on top of what the service manager hands over.
async fn listeners(loaded: &Loaded, inherited: Vec<Inherited>) -> anyhow::Result<Vec<Listener>> {
    let is_default = matches!(loaded.origin("listen"), Origin::Default);
    let wanted = if is_default && !inherited.is_empty() { &[][..] } else { &loaded.config.listen };
    listen::open(wanted, inherited).await
}

fn self_signed(config: &Config, folder: &DataFolder) -> anyhow::Result<Option<SelfSigned>> {
    if !config.tls.self_signed {
        return Ok(None);
    }
    let names = config.tls.names.iter().map(|name| name.as_str().to_owned());
    let names: Vec<String> = names.chain(config.public_url.as_ref().map(|url| url.host().to_owned())).collect();
    Ok(Some(tls::self_signed(folder.path(), &names)?))
}

fn certificates(config: &Config, own: Option<SelfSigned>) -> anyhow::Result<Option<Arc<Reloader>>> {
    Ok(match (&config.tls.certificate, &config.tls.key, own) {
        (Some(certificate), Some(key), _) => Some(Reloader::open(certificate, key)?),
        (_, _, Some(own)) => Some(Reloader::own(own)?),
        _ => None,
    })
}

/// What clients use: the public URL, else the first listener that has an address; empty without either.
fn url(config: &Config, listeners: &[String]) -> String {
    if let Some(url) = &config.public_url {
        return url.to_string();
    }
    let scheme = if config.tls.self_signed || config.tls.certificate.is_some() { "https" } else { "http" };
    let Some(address) = listeners.iter().find(|listener| !listener.starts_with("unix:")) else { return String::new() };
    let address = address.replace("0.0.0.0:", "localhost:").replace("[::]:", "localhost:");
    format!("{scheme}://{address}")
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        anonymous: match config.anonymous {
            config::Anonymous::None => Anonymous::Nothing,
            config::Anonymous::Pull => Anonymous::Pull,
        },
        visibility: match config.visibility {
            config::Visibility::Private => Visibility::Private,
            config::Visibility::Internal => Visibility::Internal,
            config::Visibility::Public => Visibility::Public,
        },
        org_creation: match config.org_creation {
            config::OrgCreation::Admins => OrgCreation::Admins,
            config::OrgCreation::Anyone => OrgCreation::Anyone,
        },
        token_auth: config.token_auth,
        strictness: match config.strict {
            config::Strict::Layers => Strictness::Layers,
            config::Strict::All => Strictness::All,
            config::Strict::None => Strictness::None,
        },
        docker_manifests: config.docker_manifests == config::DockerManifests::Accept,
        upload_expiry: config.uploads.expire,
        upload_checkpoint: config.uploads.checkpoint.bytes(),
        running_uploads: config.limits.uploads as usize,
        token_lifetime: config.tokens.lifetime,
        refresh_lifetime: config.tokens.refresh_lifetime,
        outgoing: outgoing(&config.outgoing)?,
        issuers_inside: config.outgoing.issuers.iter().map(|issuer| issuer.0.clone()).collect(),
        audit_keep: config.audit.keep,
        audit_size: config.audit.size.bytes(),
        boot: std::fs::read_to_string("/proc/sys/kernel/random/boot_id").context("boot id")?.trim().to_owned(),
    })
}

fn outgoing(config: &config::Outgoing) -> anyhow::Result<outgoing::Settings> {
    let allow = outgoing::Allowed::new(config.allow.iter().map(|network| network.0).collect());
    let roots = match &config.ca {
        Some(file) => {
            let pem = std::fs::read(file).with_context(|| format!("outgoing.ca: cannot read {}", file.display()))?;
            outgoing::Roots::from_pem(&pem).with_context(|| format!("outgoing.ca: {}", file.display()))?
        }
        None => outgoing::Roots::default(),
    };
    Ok(outgoing::Settings { allow, roots, ..outgoing::Settings::default() })
}

fn options(config: &Config) -> Options {
    let bytes = |size: config::ByteSize| usize::try_from(size.bytes()).unwrap_or(usize::MAX);
    Options {
        public_url: config.public_url.as_ref().map(ToString::to_string),
        token_auth: config.token_auth,
        manifest_size: bytes(config.limits.manifest_size),
        url_size: bytes(config.limits.url_size),
        header_size: bytes(config.limits.header_size),
        body_idle: config.limits.body_idle,
        page: config.limits.tags_page as usize,
        metrics: config.metrics.listen.is_none(),
    }
}

fn serve_options(
    config: &Config,
    gauges: Arc<ConnectionGauges>,
    certificates: Option<Arc<Reloader>>,
) -> anyhow::Result<ServeOptions> {
    let nets =
        config.trusted_proxies.iter().filter_map(|peer| if let Peer::Net(net) = peer { Some(*net) } else { None });
    let unix = config.trusted_proxies.iter().any(|peer| matches!(peer, Peer::Unix));
    Ok(ServeOptions {
        header_timeout: config.limits.header_timeout,
        header_size: usize::try_from(config.limits.header_size.bytes())?,
        connections: config.limits.connections as usize,
        drain: config.limits.drain,
        write_idle: WRITE_IDLE,
        proxy_protocol: config.proxy_protocol,
        trusted: TrustedProxies { nets: nets.collect(), unix },
        tls: certificates.map(tls::server_config).transpose()?,
        gauges,
    })
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_hangs_does_not_keep_the_process() {
        let (wake, hang) = std::sync::mpsc::channel::<()>();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let work = async move {
            let (begun, begins) = tokio::sync::oneshot::channel();
            tokio::task::spawn_blocking(move || (begun.send(()), hang.recv()));
            begins.await
        };
        run_to_end(runtime, work, Duration::from_millis(10)).unwrap();
        wake.send(()).expect("the work still hangs");
    }
}
