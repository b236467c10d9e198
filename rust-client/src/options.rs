use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::health::{self, AskApp};
use crate::login::Credentials;
use crate::metrics::Metrics;
use crate::pressure::OnPressure;
use crate::subscription::GroupTerms;
use crate::toggles::{self, OnToggles};
use crate::{pb, Durability, Error, LostLeases, ReadFrom};

#[derive(Clone)]
pub(crate) struct ClientOptions {
    pub endpoints: Vec<String>,
    pub name: String,
    pub zone: String,
    pub failure_domain: String,
    /// Of one reader: it goes to the nearest node of a cluster, which may follow.
    pub follower_reads: bool,
    pub connect_timeout: Duration,
    pub wait_for_broker: Duration,
    pub heartbeat: Duration,
    pub request_timeout: Duration,
    /// Zero: never.
    pub metadata_refresh: Duration,
    pub metrics: Option<Arc<dyn Metrics>>,
    /// Zero: the broker is not told.
    pub health_interval: Duration,
    pub health_root: PathBuf,
    pub app_health: Option<AskApp>,
    pub on_pressure: Option<OnPressure>,
    pub on_toggles: Option<OnToggles>,
    #[cfg(feature = "tls")]
    pub tls: Option<crate::Tls>,
    pub credentials: Credentials,
}

impl ClientOptions {
    /// Of the protocol, those that the client offers.
    pub fn features(&self) -> Vec<u32> {
        let health = (!self.reports_every().is_zero()).then_some(health::FEATURE);
        let toggles = (!self.follower_reads).then_some(toggles::FEATURE);
        health.into_iter().chain(toggles).collect()
    }

    /// A reader of the nearest node is no member of a group, to which more or less could be given: it tells nobody how it is.
    pub fn reports_every(&self) -> Duration {
        if self.follower_reads {
            Duration::ZERO
        } else {
            self.health_interval
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ProducerOptions {
    pub durability: Durability,
    pub allow_degraded: bool,
    pub linger: Duration,
    pub max_batch_bytes: usize,
    pub buffer_bytes: usize,
    pub max_block: Duration,
    pub delivery_timeout: Duration,
    pub name: String,
    pub shed_class: Option<u32>,
}

pub(crate) struct SubscribeOptions {
    pub group: String,
    pub start: Option<pb::Start>,
    pub lease: Duration,
    pub max_unacked: Option<u32>,
    pub max_deliveries: u32,
    pub standby: bool,
    pub partitions: Vec<u32>,
    pub read_from: ReadFrom,
    pub credit_bytes: u64,
    pub name: String,
    pub terms: GroupTerms,
    pub on_lost_leases: Option<Arc<dyn Fn(LostLeases) + Send + Sync>>,
    pub on_active: Option<Arc<dyn Fn(bool) + Send + Sync>>,
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn between(
    what: &str,
    value: Duration,
    low: Duration,
    high: Duration,
) -> Result<(), Error> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(
        format!("{what} is {value:?}"),
        format!("it must be from {low:?} to {high:?}"),
    ))
}

pub(crate) fn number_between(what: &str, value: u64, low: u64, high: u64) -> Result<(), Error> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(
        format!("{what} is {value}"),
        format!("it must be from {low} to {high}"),
    ))
}

pub(crate) fn check_endpoint(endpoint: &str) -> Result<(), Error> {
    let parts = endpoint.rsplit_once(':');
    let good = parts.is_some_and(|(host, port)| {
        let bare = !host.contains(':') || host.starts_with('[') && host.ends_with(']');
        !host.is_empty()
            && !host.contains('/')
            && bare
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if good {
        return Ok(());
    }
    let why = "it must be host:port with a port from 1 to 65535";
    let scheme = if endpoint.contains("://") {
        "it has a scheme; "
    } else {
        ""
    };
    Err(Error::invalid(
        format!("the endpoint \"{endpoint}\" is wrong"),
        format!("{scheme}{why}"),
    ))
}
