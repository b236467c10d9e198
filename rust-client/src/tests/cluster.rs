//! The client against the nodes of a cluster.

use std::cell::Cell;

use super::*;
use crate::core::Phase;

/// The nodes that a client may dial; none of them is there until the test says so.
struct Cluster {
    client: Client,
    first: oneshot::Receiver<Result<(), crate::Error>>,
    dialing: Cell<usize>,
}

impl Cluster {
    fn new(configured: &[&str]) -> Self {
        let (first, outcome) = oneshot::channel();
        let client = Client::builder()
            .endpoints(configured.iter().copied())
            .unconnected(first);
        client.shared.with(|state| {
            let actions = state.net.machine.start(0, 0);
            state.perform(actions);
        });
        Self {
            client,
            first: outcome,
            dialing: Cell::new(0),
        }
    }

    /// Lets time pass until the client dials; whom.
    async fn dialled(&self) -> String {
        let dials = async {
            loop {
                let dials = self.tick();
                if let [candidate] = dials[..] {
                    return candidate;
                }
                assert!(dials.is_empty(), "one at a time: {dials:?}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let candidate = tokio::time::timeout(SOON, dials).await.expect("a dial");
        self.dialing.set(candidate);
        self.client
            .shared
            .with(|state| state.net.endpoint(candidate))
    }

    fn tick(&self) -> Vec<usize> {
        self.client.shared.with(|state| {
            state.tick(std::time::Instant::now());
            std::mem::take(&mut state.net.dials)
        })
    }

    fn refuse(&self, e: pb::Error) {
        let candidate = self.dialing.get();
        self.client
            .shared
            .with(|state| state.on_connect_failed(candidate, e));
    }

    /// The node that is dialled takes the client; `nodes` are those of its cluster.
    fn accept(&self, nodes: &[&str]) -> Broker {
        let candidate = self.dialing.get();
        let conn = self.client.shared.with(|state| {
            let (id, endpoint) = (state.net.id(), state.net.endpoint(candidate));
            let conn = Conn::new(id, candidate, endpoint, SOON, 0);
            let hello = pb::HelloOk {
                endpoints: nodes.iter().map(|node| endpoint_of(node)).collect(),
                ..pb::HelloOk::default()
            };
            state.on_connected(conn, &hello, 1);
            id
        });
        Broker {
            client: self.client.clone(),
            conn,
        }
    }

    fn lose(&self, broker: &Broker) {
        let e = wire_error(codes::CONNECTION_LOST, "lost", "", "");
        self.client
            .shared
            .with(|state| state.on_lost(broker.conn, e));
    }

    fn phase(&self) -> Phase {
        self.client.shared.with(|state| state.net.machine.phase())
    }
}

fn endpoint_of(node: &str) -> pb::Endpoint {
    let (host, port) = node.rsplit_once(':').expect("host:port");
    pb::Endpoint {
        host: host.into(),
        port: port.parse().expect("a port"),
        ..pb::Endpoint::default()
    }
}

fn not_leader(leader: &str) -> pb::Error {
    let mut e = wire_error(codes::NOT_LEADER, "another leads", "", "");
    e.redirect = Some(endpoint_of(leader));
    e
}

fn no_leader() -> pb::Error {
    let mut e = wire_error(codes::LEADER_ELECTION, "nobody leads", "", "");
    e.retry_after_ms = 1;
    e
}

fn gone() -> pb::Error {
    wire_error(codes::CONNECT_FAILED, "nobody is there", "", "")
}

#[tokio::test]
async fn a_follower_says_where_the_leader_is_and_the_leader_who_else_there_is() {
    let mut cluster = Cluster::new(&["a:1"]);
    assert_eq!(cluster.dialled().await, "a:1");
    cluster.refuse(not_leader("d:4"));
    assert_eq!(cluster.dialled().await, "d:4");
    let leader = cluster.accept(&["d:4", "a:1", "::1:5"]);
    let first = cluster.first.try_recv().expect("told");
    first.expect("connected");

    cluster.lose(&leader);

    assert_eq!(cluster.dialled().await, "a:1");
    cluster.refuse(gone());
    assert_eq!(cluster.dialled().await, "d:4");
    cluster.refuse(gone());
    assert_eq!(cluster.dialled().await, "[::1]:5");
}

#[tokio::test]
async fn a_client_learns_of_new_members_while_it_is_connected() {
    let cluster = Cluster::new(&["a:1"]);
    cluster.dialled().await;
    let leader = cluster.accept(&["a:1", "b:2"]);
    let state = &cluster.client.shared;
    let now = std::time::Instant::now();
    state.with(|state| state.tick_refresh(now));
    assert!(leader.received().is_empty(), "it knows them");

    state.with(|state| state.tick_refresh(now + Duration::from_secs(60)));
    let asked = leader.only(Kind::METADATA);
    let members = pb::MetadataOk {
        endpoints: ["c:3", "a:1", "d:4"].map(endpoint_of).into(),
        ..pb::MetadataOk::default()
    };
    leader.answer(&asked, &members, Bytes::new());
    cluster.lose(&leader);

    for node in ["a:1", "c:3", "d:4"] {
        assert_eq!(cluster.dialled().await, node);
        cluster.refuse(gone());
    }
    assert_eq!(cluster.phase(), Phase::Backoff);
}

#[tokio::test]
async fn asks_round_until_there_is_a_leader() {
    let cluster = Cluster::new(&["a:1", "b:2"]);
    for _ in 0..3 {
        for node in ["a:1", "b:2"] {
            assert_eq!(cluster.dialled().await, node);
            cluster.refuse(no_leader());
        }
        assert_eq!(cluster.phase(), Phase::Backoff);
    }
}

#[tokio::test]
async fn a_broker_that_stands_alone_is_reached_as_configured() {
    let cluster = Cluster::new(&["proxy:1"]);
    assert_eq!(cluster.dialled().await, "proxy:1");
    let alone = cluster.accept(&["behind:2"]);

    cluster.lose(&alone);

    assert_eq!(cluster.dialled().await, "proxy:1");
    cluster.refuse(gone());
    assert_eq!(cluster.phase(), Phase::Backoff);
}

#[tokio::test]
async fn a_call_that_a_node_does_not_do_any_more_is_done_by_the_next_leader() {
    let cluster = Cluster::new(&["a:1"]);
    cluster.dialled().await;
    let before = cluster.accept(&["a:1", "b:2", "c:3"]);
    let admin = cluster.client.admin();
    let mut call = pin!(admin.describe_topic("t"));
    assert!(poll!(call.as_mut()).is_pending());

    let asked = before.only(Kind::METADATA);
    before.refuse(&asked, &not_leader("c:3"));

    assert_eq!(cluster.dialled().await, "c:3");
    let leader = cluster.accept(&["c:3", "a:1", "b:2"]);
    let [again] = leader.awaits([Kind::METADATA]).await;
    leader.tell_topic(&again);
    assert_eq!(call.await.expect("described").name, "t");
}

#[tokio::test]
async fn a_leader_that_is_about_to_begin_is_asked_again() {
    let cluster = Cluster::new(&["a:1"]);
    cluster.dialled().await;
    let leader = cluster.accept(&["a:1", "b:2"]);
    let admin = cluster.client.admin();
    let mut call = pin!(admin.describe_topic("t"));
    assert!(poll!(call.as_mut()).is_pending());

    for _ in 0..6 {
        let [asked] = leader.awaits([Kind::METADATA]).await;
        leader.refuse(&asked, &no_leader());
    }

    let [asked] = leader.awaits([Kind::METADATA]).await;
    leader.tell_topic(&asked);
    assert_eq!(call.await.expect("described").name, "t");
    assert_eq!(cluster.phase(), Phase::Ready);
}

#[tokio::test]
async fn a_subscription_outlives_many_leaders() {
    let cluster = Cluster::new(&["a:1"]);
    cluster.dialled().await;
    let mut leader = cluster.accept(&["a:1", "b:2"]);
    let (member, mut channel) = leader.member(0).await;
    for next in ["b:2", "a:1", "b:2", "a:1", "b:2", "a:1"] {
        let e = not_leader(next);
        leader.send(Kind::SUBSCRIBE, ERROR, (channel, 0), &e, Bytes::new());
        assert_eq!(cluster.dialled().await, next);
        leader = cluster.accept(&["a:1", "b:2"]);
        let [subscribe] = leader.awaits([Kind::SUBSCRIBE]).await;
        channel = subscribe.channel;
        leader.answer(&subscribe, &pb::SubscribeOk::default(), Bytes::new());
    }
    assert!(member.is_active());
}

#[tokio::test]
async fn what_is_under_way_when_the_leadership_is_lost_goes_on_at_the_new_leader() {
    let cluster = Cluster::new(&["a:1"]);
    cluster.dialled().await;
    let before = cluster.accept(&["a:1", "b:2", "c:3"]);
    let mut open = pin!(cluster.client.producer("t").open());
    assert!(poll!(open.as_mut()).is_pending());
    before.tell_topic(&before.only(Kind::METADATA));
    assert!(poll!(open.as_mut()).is_pending());
    let opening = before.only(Kind::OPEN_PUBLISHER);
    let ok = pb::OpenPublisherOk {
        producer_id: 5,
        ..pb::OpenPublisherOk::default()
    };
    before.answer(&opening, &ok, Bytes::new());
    let producer = open.await.expect("a producer");
    let (member, channel) = before.member(0).await;
    before.deliver(channel, &batch(&[record(b"v")]), pb::Segment::default(), 0);
    let held = member.fetch(1, Duration::ZERO).await.expect("open");
    assert_eq!(held.len(), 1);
    let mut stored = producer.try_publish(Record::new("v")).expect("space");
    let sent = before.only(Kind::PUBLISH);

    let mut unknown = wire_error(codes::REPLICATION_TIMEOUT, "no quorum", "", "");
    unknown.retry = 2;
    before.refuse(&sent, &unknown);
    let ended = not_leader("b:2");
    before.send(Kind::SUBSCRIBE, ERROR, (channel, 0), &ended, Bytes::new());
    let go_away = pb::GoAway {
        error: Some(ended),
        grace_ms: 1_000,
        endpoints: ["b:2", "a:1", "c:3"].map(endpoint_of).into(),
        ..pb::GoAway::default()
    };
    before.send(Kind::GO_AWAY, 0, (0, 0), &go_away, Bytes::new());

    assert_eq!(cluster.dialled().await, "b:2");
    let leader = cluster.accept(&["b:2", "a:1", "c:3"]);
    // It holds a message of a subscription that has ended: that does not keep it.
    assert_eq!(cluster.phase(), Phase::Ready);
    let [opening, subscribe] = leader.awaits([Kind::OPEN_PUBLISHER, Kind::SUBSCRIBE]).await;
    leader.answer(&subscribe, &pb::SubscribeOk::default(), Bytes::new());
    leader.answer(&opening, &ok, Bytes::new());
    let [again] = leader.awaits([Kind::PUBLISH]).await;
    let sequence = |frame: &Frame| frame.payload[48..56].to_vec();
    assert_eq!(sequence(&again), sequence(&sent));
    assert!(poll!(&mut stored).is_pending());
    let ack = pb::PublishAck {
        count: 1,
        base_offset: 7,
        ..pb::PublishAck::default()
    };
    leader.answer(&again, &ack, Bytes::new());
    assert_eq!(stored.await.expect("stored").offset, Some(7));
    assert!(member
        .fetch(1, Duration::ZERO)
        .await
        .expect("open")
        .is_empty());
}
