//! What the broker is told of the client's health.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::{batch, decode, pb, record, Arc, Broker, Client, Duration, Frame, Kind, State, FENCE};
use crate::health;
use crate::toggles;
use crate::{AppHealth, ClientBuilder, HealthState};

const QUICK: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory in which the files of Linux say what a test wants; removed when dropped.
struct Machine(PathBuf);

impl Machine {
    fn new(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("spillway-machine-{}-{number}", std::process::id());
        let machine = Self(std::env::temp_dir().join(name));
        for (file, text) in files {
            machine.write(file, text);
        }
        machine
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // it is a temporary one
    }
}

/// A broker whose client reports its health, and what came of that.
struct Reports {
    broker: Broker,
    reports: Vec<pb::HealthReport>,
    paused: Vec<bool>,
}

impl Reports {
    fn new(builder: ClientBuilder, reads_health: bool) -> Self {
        let broker = Broker::of(builder);
        broker.client.shared.with(|state: &mut State| {
            state.net.conns[0].reads_health = reads_health;
        });
        tokio::spawn(health::run(broker.client.shared.clone()));
        Self {
            broker,
            reports: Vec::new(),
            paused: Vec::new(),
        }
    }

    /// Gives the client a turn.
    fn look(&mut self) {
        let shared = &self.broker.client.shared;
        shared.with(|state| state.tick(std::time::Instant::now()));
        for frame in self.broker.received() {
            self.on_frame(&frame);
        }
    }

    fn on_frame(&mut self, frame: &Frame) {
        match frame.kind {
            Kind::HEALTH_REPORT => self.reports.push(decode(frame)),
            Kind::CREDIT_GRANT => {
                let grant: pb::CreditGrant = decode(frame);
                self.paused.push(grant.paused);
            }
            _ => {}
        }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let done = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.look();
            }
        };
        let done = tokio::time::timeout(PATIENCE, done).await.is_ok();
        assert!(done, "not in time: {what}; {:?}", self.reports.last());
    }

    fn last(&self) -> pb::HealthReport {
        self.reports.last().cloned().unwrap_or_default()
    }
}

fn quick() -> ClientBuilder {
    Client::builder().health_interval(QUICK)
}

#[tokio::test]
async fn a_broker_that_reads_health_reports_gets_them() {
    let mut reports = Reports::new(Client::builder(), true);
    let (_sub, _channel) = reports.broker.member(0).await;
    reports.until("two reports", |r| r.last().seq >= 2).await;
    assert_eq!(reports.last().interval_ms, 1_000);
    let hello = reports.broker.client.shared.hello();
    assert_eq!(hello.features, [health::FEATURE, toggles::FEATURE]);
}

#[tokio::test]
async fn a_client_without_a_subscription_reports_nothing() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let builder = quick().app_health(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        AppHealth::default()
    });
    let mut reports = Reports::new(builder, true);
    reports
        .until("two samples", |_| asked.load(Ordering::Relaxed) >= 2)
        .await;
    reports.look();
    assert_eq!(reports.reports, []);
    let (_sub, _channel) = reports.broker.member(0).await;
    reports.until("a report", |r| r.last().seq > 0).await;
}

#[tokio::test]
async fn a_broker_that_does_not_read_health_reports_gets_none() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let builder = quick().app_health(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        AppHealth::default()
    });
    let mut reports = Reports::new(builder, false);
    let (_sub, _channel) = reports.broker.member(0).await;
    reports
        .until("two samples", |_| asked.load(Ordering::Relaxed) >= 2)
        .await;
    reports.look();
    assert_eq!(reports.reports, []);
}

#[tokio::test]
async fn the_application_says_how_it_is() {
    let ill = Arc::new(AtomicBool::new(false));
    let is_ill = ill.clone();
    let builder = quick().app_health(move || {
        if !is_ill.load(Ordering::Relaxed) {
            return AppHealth::default();
        }
        AppHealth {
            state: HealthState::Critical,
            util_pm: 930,
        }
    });
    let mut reports = Reports::new(builder, true);
    let (_sub, _channel) = reports.broker.member(0).await;
    reports.until("a first report", |r| r.last().seq > 0).await;
    ill.store(true, Ordering::Relaxed);
    reports
        .until("a critical state", |r| {
            let last = r.last();
            last.state == 2 && last.handoff_requested && last.reasons.contains(&8)
        })
        .await;
    assert!(reports.last().app_util_pm >= 930);
    let health = reports.broker.client.health();
    assert_eq!(health.state, HealthState::Critical);
    assert!(health.reasons.contains(&"MANUAL"), "{health}");
}

#[tokio::test]
async fn memory_that_is_nearly_gone_is_critical_and_pauses_deliveries() {
    let machine = Machine::new(&[
        ("sys/fs/cgroup/memory.max", "1048576\n"),
        ("proc/self/status", "Name:\tx\nVmRSS:\t     1000 kB\n"),
    ]);
    let mut reports = Reports::new(quick().health_root(&machine.0), true);
    let (_sub, _channel) = reports.broker.member(0).await;
    let critical = |r: &Reports| r.last().state == 2 && r.last().mem_pm == 976;
    reports.until("a critical state", critical).await;
    reports
        .until("a pause", |r| r.paused.last() == Some(&true))
        .await;
    machine.write("sys/fs/cgroup/memory.max", "max\n");
    reports
        .until("deliveries again", |r| r.paused.last() == Some(&false))
        .await;
}

#[tokio::test]
async fn stalls_for_memory_are_seen_in_the_files_of_linux() {
    let memory = "some avg10=9.50 avg60=1.00 avg300=0.10 total=1\nfull avg10=1.25 avg60=0.10 avg300=0.01 total=1\n";
    let io = "some avg10=30.00 avg60=1.00 avg300=0.10 total=1\nfull avg10=2.00 avg60=0.10 avg300=0.01 total=1\n";
    let machine = Machine::new(&[("proc/pressure/memory", memory), ("proc/pressure/io", io)]);
    let mut reports = Reports::new(quick().health_root(&machine.0), true);
    let (_sub, _channel) = reports.broker.member(0).await;
    let degraded = |r: &Reports| r.last().state == 1 && r.last().reasons.contains(&2);
    reports.until("a degraded state", degraded).await;
    let last = reports.last();
    let stalls = (last.psi_mem_some_pm, last.psi_mem_full_pm);
    assert_eq!(stalls, (95, 12));
    assert_eq!((last.psi_io_some_pm, last.psi_io_full_pm), (300, 20));
}

#[tokio::test]
async fn what_handlers_do_is_reported() {
    let mut reports = Reports::new(quick(), true);
    let (sub, channel) = reports.broker.member(0).await;
    let bytes = batch(&[record(b"x")]);
    let segment = pb::Segment {
        fence: FENCE,
        lease_ms: 30_000,
        attempt: 1,
        ..pb::Segment::default()
    };
    reports.broker.deliver(channel, &bytes, segment, 0);
    let release = Arc::new(tokio::sync::Notify::new());
    let released = release.clone();
    tokio::spawn(async move {
        let handler = |_| async {
            released.notified().await;
            Err("refused")
        };
        let _ = sub.consume(2, handler).await; // it ends with the test
    });
    let busy = |r: &Reports| r.last().inflight == 1 && r.last().max_inflight == 2;
    reports.until("a handler at work", busy).await;
    release.notify_one();
    // A report may come after the handler's end and before its record is settled.
    reports
        .until("a failure of a handler", |r| {
            r.reports.iter().any(|each| each.eps_milli > 0)
        })
        .await;
    reports
        .until("a handler that took its while", |r| {
            r.reports.iter().any(|each| each.handler_p99_us > 1_000)
        })
        .await;
}

#[tokio::test]
async fn a_client_that_drains_says_so() {
    let mut reports = Reports::new(Client::builder(), true);
    let (sub, channel) = reports.broker.member(0).await;
    let bytes = batch(&[record(b"x")]);
    let segment = pb::Segment {
        fence: FENCE,
        lease_ms: 30_000,
        attempt: 1,
        ..pb::Segment::default()
    };
    reports.broker.deliver(channel, &bytes, segment, 0);
    let message = sub.next().await.expect("a message");
    let drained = tokio::spawn(async move { sub.drain(PATIENCE).await });
    reports
        .until("the client to say that it drains", |r| r.last().state == 3)
        .await;
    drained.abort();
    drop(message);
}

#[tokio::test]
async fn an_interval_out_of_its_range_is_refused() {
    let builder = Client::builder().health_interval(Duration::from_millis(1));
    let refused = builder.connect().await.expect_err("1 ms is too short");
    assert_eq!(refused.reason(), "INVALID_ARGUMENT");
}
