use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{random, Client, Guard, Shared};
use crate::health::{self, AppHealth};
use crate::link;
use crate::login::{Credentials, Unavailable};
use crate::metrics::Metrics;
use crate::net::{First, Net};
use crate::options::{between, check_endpoint, ClientOptions, HOUR, MINUTE};
use crate::{Error, Pressure};

/// Settings of a [`Client`].
#[must_use = "connect makes the client"]
pub struct ClientBuilder {
    pub(super) opts: ClientOptions,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            opts: ClientOptions {
                endpoints: vec!["127.0.0.1:7400".into()],
                name: String::new(),
                zone: String::new(),
                failure_domain: "rust".into(),
                follower_reads: false,
                connect_timeout: Duration::from_secs(3),
                wait_for_broker: Duration::ZERO,
                heartbeat: Duration::from_secs(5),
                request_timeout: Duration::from_secs(10),
                metadata_refresh: MINUTE,
                metrics: None,
                health_interval: Duration::from_secs(1),
                health_root: "/".into(),
                app_health: None,
                on_pressure: None,
                on_toggles: None,
                #[cfg(feature = "tls")]
                tls: None,
                credentials: Credentials::None,
            },
        }
    }
}

impl ClientBuilder {
    /// Where brokers listen, each `host:port` (`[v6]:port`), in order of preference. Of a cluster, those nodes that may be expected
    /// to be up: they say where its leader is, and that which others there are. Default 127.0.0.1:7400.
    pub fn endpoints<S: Into<String>>(mut self, host_ports: impl IntoIterator<Item = S>) -> Self {
        self.opts.endpoints = host_ports.into_iter().map(Into::into).collect();
        self
    }

    /// What the broker's views and logs call this client. Default: empty.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.opts.name = name.into();
        self
    }

    /// The zone this client runs in; brokers of the same zone are preferred. Default: empty, no preference.
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        self.opts.zone = name.into();
        self
    }

    /// Clients of one failure domain share one fate when the broker must shed load. Default: "rust".
    pub fn failure_domain(mut self, name: impl Into<String>) -> Self {
        self.opts.failure_domain = name.into();
        self
    }

    /// Limit of one attempt to connect over TCP; the handshake after it has 5 s. 10 ms to 1 min, default 3 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.opts.connect_timeout = timeout;
        self
    }

    /// How long [`connect`](ClientBuilder::connect) goes on trying when no endpoint answers. Default zero: each endpoint is tried
    /// once. Once connected, the client reconnects for as long as it is open.
    pub fn wait_for_broker(mut self, patience: Duration) -> Self {
        self.opts.wait_for_broker = patience;
        self
    }

    /// A connection without a byte for three of these is dead. 1 s to 60 s, default 5 s; the broker may ask for another.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.opts.heartbeat = interval;
        self
    }

    /// Deadline of an [`Admin`](crate::Admin) call and of opening a producer or subscription. 1 ms to 10 min, default 10 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.opts.request_timeout = timeout;
        self
    }

    /// How often, at the latest, the client asks its broker for the nodes of the cluster, so that it knows others once those that it was
    /// started with have left. Zero turns it off. 1 s to 1 day, default 1 min.
    pub fn metadata_refresh(mut self, interval: Duration) -> Self {
        self.opts.metadata_refresh = interval;
        self
    }

    /// Sees what the client does. Default: nobody.
    pub fn metrics(mut self, hook: Arc<dyn Metrics>) -> Self {
        self.opts.metrics = Some(hook);
        self
    }

    /// How often the client looks how it is and tells the broker, which gives less to members of a group that are not well. Zero turns
    /// it off. 200 ms to 10 s, default 1 s.
    pub fn health_interval(mut self, interval: Duration) -> Self {
        self.opts.health_interval = interval;
        self
    }

    /// Who says how the application is; asked before each report, it must be quick and must not call the client. Default: nobody.
    pub fn app_health(mut self, ask: impl Fn() -> AppHealth + Send + Sync + 'static) -> Self {
        self.opts.app_health = Some(Arc::new(ask));
        self
    }

    /// The directory under which proc/self, proc/pressure and sys/fs/cgroup are read. Default "/".
    pub fn health_root(mut self, directory: impl Into<PathBuf>) -> Self {
        self.opts.health_root = directory.into();
        self
    }

    /// How connections are encrypted, and with which certificate the client shows who it is. Default: plain text.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: crate::Tls) -> Self {
        self.opts.tls = Some(tls);
        self
    }

    /// Logs in with a password, which never leaves this process (SCRAM-SHA-256). It is asked for before each connection and must not
    /// block for long.
    pub fn user(
        mut self,
        name: impl Into<String>,
        password: impl Fn() -> Result<String, Unavailable> + Send + Sync + 'static,
    ) -> Self {
        self.opts.credentials = Credentials::User(name.into(), Arc::new(password));
        self
    }

    /// Logs in with a signed token; only over TLS, unless the broker takes it otherwise, too. It is asked for before each connection, so
    /// that it may be renewed there: the broker asks a client to connect anew when its token ends.
    pub fn token(
        mut self,
        token: impl Fn() -> Result<String, Unavailable> + Send + Sync + 'static,
    ) -> Self {
        self.opts.credentials = Credentials::Token(Arc::new(token));
        self
    }

    /// Who hears each change of the broker's pressure, on the connection and on each partition that is published to; one change after
    /// the other. It must be quick. Default: nobody.
    pub fn on_pressure(mut self, listener: impl Fn(&Pressure) + Send + Sync + 'static) -> Self {
        self.opts.on_pressure = Some(Arc::new(listener));
        self
    }

    /// Who hears that toggles have changed: [`is_enabled`](Client::is_enabled) and [`toggle_value`](Client::toggle_value) tell what they
    /// are. It must be quick. Default: nobody.
    pub fn on_toggles(mut self, listener: impl Fn() + Send + Sync + 'static) -> Self {
        self.opts.on_toggles = Some(Arc::new(listener));
        self
    }

    fn check(&self) -> Result<(), Error> {
        let o = &self.opts;
        if o.endpoints.is_empty() {
            return Err(Error::invalid(
                "no endpoint is given",
                "a client needs at least one host:port",
            ));
        }
        o.endpoints
            .iter()
            .try_for_each(|endpoint| check_endpoint(endpoint))?;
        between(
            "the connect timeout",
            o.connect_timeout,
            Duration::from_millis(10),
            MINUTE,
        )?;
        between(
            "the wait for a broker",
            o.wait_for_broker,
            Duration::ZERO,
            HOUR * 24,
        )?;
        between("the heartbeat", o.heartbeat, Duration::from_secs(1), MINUTE)?;
        if !o.health_interval.is_zero() {
            between(
                "the health interval",
                o.health_interval,
                Duration::from_millis(200),
                Duration::from_secs(10),
            )?;
        }
        if !o.metadata_refresh.is_zero() {
            between(
                "the metadata refresh",
                o.metadata_refresh,
                Duration::from_secs(1),
                HOUR * 24,
            )?;
        }
        between(
            "the request timeout",
            o.request_timeout,
            Duration::from_millis(1),
            MINUTE * 10,
        )
    }

    /// Without tasks that connect it.
    pub(crate) fn unconnected(self, first: First) -> Client {
        let net = Net::new(&self.opts, first, random());
        let shared = Arc::new(Shared::new(self.opts, net));
        Client {
            guard: Arc::new(Guard(shared.clone())),
            shared,
        }
    }

    /// Connects to the first endpoint that answers. Must be called on a tokio runtime, on which the client's tasks then run.
    /// Cancel-safe.
    ///
    /// # Errors
    /// CONNECT_FAILED when none does in time, UNSUPPORTED_VERSION or UNAUTHENTICATED when one refuses, INVALID_ARGUMENT for a
    /// setting out of its range.
    pub async fn connect(self) -> Result<Client, Error> {
        self.check()?;
        let patience = match self.opts.wait_for_broker {
            Duration::ZERO => {
                (self.opts.connect_timeout + link::HANDSHAKE_TIMEOUT)
                    * self.opts.endpoints.len() as u32
            }
            patience => patience,
        };
        let (first, outcome) = oneshot::channel();
        let client = self.unconnected(first);
        let shared = client.shared.clone();
        tokio::spawn(link::run(shared.clone()));
        tokio::spawn(link::tick(shared.clone()));
        if !shared.opts.health_interval.is_zero() {
            tokio::spawn(health::run(shared.clone()));
        }
        match tokio::time::timeout(patience, outcome).await {
            Ok(Ok(Ok(()))) => Ok(client),
            Ok(Ok(Err(error))) => Err(error),
            _ => Err(shared.with(|state| Error::from_wire(&state.net.last_error))),
        }
    }
}
