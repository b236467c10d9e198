package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.ReadFrom;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.client.ZoneLag;
import io.spillway.protocol.Code;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.OpenPublisher;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reading at the nearest node of a cluster, and what acks say of zones that nobody waits for. */
@Timeout(180)
class NearestTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private static void publish(Producer producer, long from, long to) {
        LongStream.range(from, to)
                .forEach(
                        i -> producer.publish(OutgoingRecord.of(Long.toString(i).getBytes(StandardCharsets.UTF_8))));
        producer.flush(PATIENCE);
    }

    private static void read(Subscription reader, List<Long> into, long until) {
        await("record " + until).atMost(PATIENCE).until(() -> {
            for (Message message : reader.poll(1_000, Duration.ofMillis(200))) {
                into.add(Long.parseLong(new String(message.value(), StandardCharsets.UTF_8)));
            }
            return into.size() >= until;
        });
    }

    private static double delivered(BrokerCluster cluster, int node) throws IOException, InterruptedException {
        return cluster.metric(node, "spillway_delivered_records_total");
    }

    @Test
    void aReaderReadsInItsZoneAndGoesOnElsewhereWhenTheNodeDies() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3)) {
            int leader = cluster.leader();
            int near = (leader + 1) % 3;
            int other = (leader + 2) % 3;
            try (SpillwayClient client =
                    cluster.clientBuilder().zone("z" + (near + 1)).connect()) {
                client.admin().createTopic("events", 1, Map.of());
                List<Long> seen = new ArrayList<>();
                try (Producer producer = client.producer("events").open();
                        Subscription reader = client.subscribe("events")
                                .start(StartPosition.earliest())
                                .readFrom(ReadFrom.NEAREST)
                                .open()) {
                    // A topic that is new may not be known there yet: the reader may begin at the leader.
                    await("the reader to be near")
                            .atMost(PATIENCE)
                            .until(() -> cluster.metric(near, "spillway_connections") > 0);
                    publish(producer, 0, 1_000);
                    read(reader, seen, 1_000);
                    await("delivery near").atMost(PATIENCE).until(() -> {
                        long next = seen.size();
                        publish(producer, next, next + 100);
                        read(reader, seen, next + 100);
                        return delivered(cluster, near) >= 100;
                    });
                    assertThat(delivered(cluster, other)).isZero();
                    double before = delivered(cluster, near);
                    Cli read = Cli.run(
                            "consume",
                            "events",
                            "--from",
                            "earliest",
                            "--count",
                            "500",
                            "--read-from",
                            "nearest",
                            "--zone",
                            "z" + (near + 1),
                            "--endpoint",
                            String.join(",", cluster.endpoints()));
                    assertThat(read.exit()).as(read.err()).isZero();
                    assertThat(read.out().lines())
                            .containsExactlyElementsOf(LongStream.range(0, 500)
                                    .mapToObj(Long::toString)
                                    .toList());
                    assertThat(delivered(cluster, near)).isGreaterThanOrEqualTo(before + 500);

                    cluster.node(near).kill9();
                    long next = seen.size();
                    publish(producer, next, next + 1_000);
                    read(reader, seen, next + 1_000);

                    assertThat(delivered(cluster, other)).isGreaterThanOrEqualTo(1_000);
                    assertThat(seen)
                            .isEqualTo(LongStream.range(0, seen.size()).boxed().toList());
                }
            }
        }
    }

    @Test
    @Tag("slow")
    void aReaderStaysWhereItIsWhenAnotherNodeIsElected() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3)) {
            int leader = cluster.leader();
            try (SpillwayClient client =
                    cluster.clientBuilder().zone("z" + ((leader + 1) % 3 + 1)).connect()) {
                client.admin().createTopic("events", 1, Map.of());
                List<Long> seen = new ArrayList<>();
                try (Producer producer = client.producer("events").open();
                        Subscription reader = client.subscribe("events")
                                .start(StartPosition.earliest())
                                .readFrom(ReadFrom.NEAREST)
                                .open()) {
                    publish(producer, 0, 1_000);
                    read(reader, seen, 1_000);
                    assertThat(cluster.node(leader).terminate()).isZero();
                    publish(producer, 1_000, 2_000);
                    read(reader, seen, 2_000);
                    cluster.node(leader).start();
                    publish(producer, 2_000, 3_000);
                    read(reader, seen, 3_000);

                    assertThat(seen)
                            .isEqualTo(LongStream.range(0, 3_000).boxed().toList());
                }
            }
        }
    }

    @Test
    @Tag("slow")
    void aFollowerServesWhoOnlyReadsAndSendsAllElseToTheLeader() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3)) {
            int leader = cluster.leader();
            BrokerProcess follower = cluster.node((leader + 1) % 3);
            Hello reads = Hello.newBuilder().setFollowerReads(true).build();
            await("the follower to be fit").atMost(PATIENCE).until(() -> {
                try (RawPeer peer = RawPeer.open(follower)) {
                    return !peer.ask(FrameKind.HELLO, 0, reads).isError();
                }
            });
            try (RawPeer peer = RawPeer.open(follower)) {
                HelloOk ok =
                        HelloOk.parseFrom(peer.ask(FrameKind.HELLO, 0, reads).header());
                assertThat(ok.getFollows()).isTrue();
                assertThat(ok.getZone()).isEqualTo("z" + ((leader + 1) % 3 + 1));
                var refused = peer.ask(
                        FrameKind.OPEN_PUBLISHER,
                        1,
                        OpenPublisher.newBuilder().setTopic("events").build());

                assertThat(refused.isError()).isTrue();
                Error error = Error.parseFrom(refused.header());
                assertThat(error.getCode()).isEqualTo(Code.NOT_LEADER.number());
                assertThat(error.getRedirect().getHost() + ":"
                                + error.getRedirect().getPort())
                        .isEqualTo(cluster.node(leader).wire());
                assertThat(peer.ask(FrameKind.PING, 0, io.spillway.protocol.v1.Ping.getDefaultInstance())
                                .isError())
                        .isFalse();
            }
        }
    }

    @Test
    @Tag("slow")
    void aFollowerThatIsCutOffSendsItsReadersAwayAndTakesThemAgainLater() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3, "follower-read-max-lag-ms=1s")) {
            int leader = cluster.leader();
            int near = (leader + 1) % 3;
            int other = (leader + 2) % 3;
            try (SpillwayClient client =
                    cluster.clientBuilder().zone("z" + (near + 1)).connect()) {
                client.admin().createTopic("events", 1, Map.of());
                List<Long> seen = new ArrayList<>();
                try (Producer producer = client.producer("events").open();
                        Subscription reader = client.subscribe("events")
                                .start(StartPosition.earliest())
                                .readFrom(ReadFrom.NEAREST)
                                .open()) {
                    await("delivery near").atMost(PATIENCE).until(() -> {
                        long next = seen.size();
                        publish(producer, next, next + 100);
                        read(reader, seen, next + 100);
                        return delivered(cluster, near) >= 100;
                    });
                    cluster.node(other).signal("STOP");
                    cluster.node(leader).signal("STOP");
                    await("it to let go of its readers")
                            .atMost(PATIENCE)
                            .until(() -> cluster.metric(near, "spillway_connections") == 0);

                    cluster.node(leader).signal("CONT");
                    cluster.node(other).signal("CONT");
                    long next = seen.size();
                    publish(producer, next, next + 1_000);
                    read(reader, seen, next + 1_000);

                    assertThat(seen)
                            .isEqualTo(LongStream.range(0, seen.size()).boxed().toList());
                }
                await("a reader near again").atMost(PATIENCE).until(() -> readsAt(cluster, near));
            }
        }
    }

    /** Whether a new reader of that node's zone is served there. */
    private static boolean readsAt(BrokerCluster cluster, int node) throws Exception {
        double before = delivered(cluster, node);
        try (SpillwayClient client =
                        cluster.clientBuilder().zone("z" + (node + 1)).connect();
                Subscription reader = client.subscribe("events")
                        .start(StartPosition.earliest())
                        .readFrom(ReadFrom.NEAREST)
                        .open()) {
            read(reader, new ArrayList<>(), 1_000);
        }
        return delivered(cluster, node) >= before + 1_000;
    }

    @Test
    void acksSayHowFarAZoneIsThatNobodyWaitsFor() throws Exception {
        try (BrokerCluster cluster = BrokerCluster.start(directory, 3);
                SpillwayClient client = cluster.client()) {
            client.admin().createTopic("events", 1, Map.of());
            try (Producer producer = client.producer("events").open()) {
                assertThat(ack(producer).zoneLag()).isEmpty();
                BrokerProcess listener = cluster.add();
                await("a listener in step").atMost(PATIENCE).until(() -> lagMs(producer) == 0);

                listener.signal("STOP");
                await("a lag").atMost(PATIENCE).until(() -> lagMs(producer) > 1_000);
                AtomicLong stopped = new AtomicLong(lagMs(producer));
                await("it to grow").atMost(PATIENCE).until(() -> lagMs(producer) > stopped.get() + 500);
                assertThat(cluster.metric(cluster.leader(), "spillway_cluster_zone_lag_seconds{zone=\"z4\"}"))
                        .isGreaterThan(1.0);

                listener.signal("CONT");
                await("no lag").atMost(PATIENCE).until(() -> lagMs(producer) == 0);
            }
        }
    }

    private static PublishAck ack(Producer producer) {
        return producer.publishAndWait(OutgoingRecord.of(new byte[] {1}), PATIENCE);
    }

    /** Of zone z4; -1 while acks do not name it. */
    private static long lagMs(Producer producer) {
        List<ZoneLag> zones = ack(producer).zoneLag();
        assertThat(zones).allMatch(each -> each.zone().equals("z4"));
        return zones.isEmpty() ? -1 : zones.get(0).lag().toMillis();
    }
}
