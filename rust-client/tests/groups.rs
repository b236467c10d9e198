//! Groups and replays as a Rust program uses them; the conformance suite has each rule.

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use spillway::{
    codes, GroupMode, Message, Record, ReplayOptions, ReplaySelection, ReplayState, ReplayTarget,
    Start,
};
use support::{eventually, topic, Broker, SOON};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_hears_that_it_is_its_turn() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 1).await;
    let member = || {
        let builder = client.subscribe("t").group("g");
        builder.mode(GroupMode::Exclusive)
    };
    let first = member().open().await.expect("a subscription");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    let second = member().on_active(move |active| {
        let mut heard = listener.lock().expect("no panic under this lock");
        heard.push(active);
    });
    let second = second.open().await.expect("a subscription");
    assert!(first.is_active() && !second.is_active());

    let held = timeout(SOON, first.next()).await.expect("in time");
    assert_eq!(held.expect("a message").failures(), 0);
    first.close().await.expect("closed");
    let again = timeout(SOON, second.next()).await.expect("in time");
    let again = again.expect("a message");
    assert_eq!((again.offset(), again.failures()), (0, 0));
    again.ack();
    assert!(second.is_active() && !first.is_active());
    second.close().await.expect("closed");
    let heard = heard.lock().expect("no panic under this lock");
    assert_eq!(*heard, [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_waits_comes_in_its_time_and_knows_how_long_it_is_good() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 0).await;
    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    let producer = client.producer("t").open().await.expect("a producer");
    let (wait, good) = (Duration::from_millis(500), Duration::from_secs(600));
    let began = SystemTime::now();
    let waits = Record::new("waits").deliver_after(wait).expires_after(good);
    for record in [waits, Record::new("does not")] {
        producer.publish_and_wait(record).await.expect("stored");
    }

    let first = timeout(SOON, group.next()).await.expect("in time");
    let first = first.expect("a message");
    assert_eq!(&first.value()[..], b"does not");
    assert_eq!((first.deliver_at(), first.time_left()), (None, None));
    let second = timeout(SOON, group.next()).await.expect("in time");
    let second = second.expect("a message");
    assert!(SystemTime::now() >= second.deliver_at().expect("a time"));
    assert!(second.deliver_at().expect("a time") >= began + wait - Duration::from_millis(1));
    let left = second.time_left().expect("it expires");
    assert!(!left.is_zero() && left < good, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_altered_paused_kept_and_restored() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 10).await;
    let admin = client.admin();
    let settings = [("retry.backoff.ms", "10,20")];
    let made = admin.create_group(
        "t",
        "g",
        GroupMode::KeyOrdered,
        Start::earliest(),
        &settings,
    );
    let made = made.await.expect("a group");
    assert_eq!(
        (made.mode, made.is_paused()),
        (GroupMode::KeyOrdered, false)
    );
    assert_eq!(made.config["retry.backoff.ms"], "10,20");
    let altered = admin.alter_group("t", "g", &[("max.inflight", "3")], Some(made.revision));
    assert_eq!(altered.await.expect("it").config["max.inflight"], "3");
    let late = admin.alter_group("t", "g", &[("max.inflight", "4")], Some(made.revision));
    let late = late.await.expect_err("altered meanwhile");
    assert_eq!(late.code(), codes::REVISION_MISMATCH);

    let kept = admin.snapshot_group("t", "g", "before", "a test").await;
    assert_eq!(kept.expect("a snapshot").name, "before");
    let group = client.subscribe("t").group("g");
    let group = group.mode(GroupMode::KeyOrdered).open().await;
    let group = group.expect("a subscription");
    let mut received = 0;
    while received < 10 {
        let messages = group.fetch(10, SOON).await.expect("open");
        messages.iter().for_each(Message::ack);
        received += messages.len();
    }
    group.close().await.expect("closed");
    let paused = admin.pause_group("t", "g", "lunch").await.expect("paused");
    let reason = paused.pause_reason.expect("a reason");
    assert!(reason.contains("lunch"), "{reason}");
    let restored = admin.restore_group("t", "g", "before", "again").await;
    assert_eq!(restored.expect("restored").partitions[0].backlog, 10);
    let snapshots = admin.group_snapshots("t", "g").await.expect("a list");
    assert_eq!(snapshots.len(), 1);
    let resumed = admin.resume_group("t", "g", "done").await.expect("it");
    assert!(!resumed.is_paused());
    let gone = admin.delete_group_snapshot("t", "g", "before").await;
    gone.expect("deleted");
    let missing = admin.restore_group("t", "g", "before", "again").await;
    assert_eq!(missing.expect_err("gone").code(), codes::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_planned_run_and_awaited() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 20).await;
    let admin = client.admin();
    let target = admin.create_topic("copy", 1, &[("accepts", "replay")]);
    target.await.expect("a topic");
    let selection = ReplaySelection::of("t")
        .from(Start::offset(0, 5))
        .to(Start::offset(0, 12));
    let plan = admin.plan_replay(&selection).await.expect("a plan");
    assert_eq!(plan.records, 7);
    assert_eq!((plan.partitions[0].from, plan.partitions[0].to), (5, 12));

    let target = ReplayTarget::Topic("copy".into());
    let options = ReplayOptions::because("a test").rate(1_000);
    for duplicates in [0, 7] {
        let job = admin.start_replay(&plan.id, &target, &options).await;
        let job = job.expect("a job");
        assert_eq!((&job.target, &job.reason[..]), (&target, "a test"));
        let job = admin.await_replay(&job.id, SOON).await.expect("it ends");
        assert_eq!(job.state, ReplayState::Done, "{}", job.why);
        assert_eq!((job.done, job.duplicates), (7, duplicates));
    }
    let copy = admin.describe_topic("copy").await.expect("a topic");
    assert_eq!(copy.partitions[0].end_offset, 7);
    assert_eq!(admin.replays().await.expect("a list").len(), 2);
    let nothing = admin.replay("nothing").await.expect_err("no such job");
    assert_eq!(nothing.code(), codes::NOT_FOUND);
    let purged = admin.purge_topic("t", Start::offset(0, 12), "done").await;
    assert_eq!(purged.expect("purged").partitions[0].start_offset, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_is_cut_short_says_so_and_gives_back() {
    let broker = Broker::start();
    let client = broker.client().await;
    topic(&client, "t", 3).await;
    let group = client.subscribe("t").group("g").open().await;
    let group = group.expect("a subscription");
    let held = timeout(SOON, group.next()).await.expect("in time");
    held.expect("a message");
    let late = group.drain(Duration::from_millis(100)).await;
    assert_eq!(late.expect_err("held").code(), codes::DEADLINE_EXCEEDED);
    eventually("it is given back", || async {
        let group = client.admin().describe_group("t", "g").await.expect("it");
        group.members == 0 && group.partitions[0].in_flight == 0
    })
    .await;
}
