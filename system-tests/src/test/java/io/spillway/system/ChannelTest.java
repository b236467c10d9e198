package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.client.SpillwayClient;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Subscribe;
import io.spillway.protocol.v1.Unsubscribe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A channel is free again once the peer knows that nothing is open on it. */
@Timeout(120)
class ChannelTest {
    private static final int STREAM = 3;

    @TempDir
    static Path directory;

    private static BrokerProcess broker;
    private static SpillwayClient client;

    @BeforeAll
    static void start() {
        broker = BrokerProcess.start(directory.resolve("data"));
        client = broker.client();
        client.admin().createTopic("t", 1, Map.of());
    }

    @AfterAll
    static void stop() {
        client.close();
        broker.close();
    }

    private static Subscribe inGroup(String group) {
        return Subscribe.newBuilder().setTopic("t").setGroup(group).build();
    }

    @Test
    void isFreeAfterARefusedSubscribe() throws IOException {
        try (RawPeer peer = RawPeer.connect(broker)) {
            assertThat(peer.ask(FrameKind.SUBSCRIBE, 5, inGroup("no such name")).reason())
                    .isEqualTo("INVALID_ARGUMENT");

            assertThat(peer.ask(FrameKind.SUBSCRIBE, 5, inGroup("g")).isError()).isFalse();
        }
    }

    @Test
    void isFreeAfterARefusedOpenPublisher() throws IOException {
        OpenPublisher.Builder open = OpenPublisher.newBuilder().setTopic("t");
        try (RawPeer peer = RawPeer.connect(broker)) {
            assertThat(peer.ask(
                                    FrameKind.OPEN_PUBLISHER,
                                    5,
                                    open.setProducerName("no such name").build())
                            .reason())
                    .isEqualTo("INVALID_ARGUMENT");

            assertThat(peer.ask(
                                    FrameKind.OPEN_PUBLISHER,
                                    5,
                                    open.setProducerName("p").build())
                            .isError())
                    .isFalse();
        }
    }

    @Test
    void isFreeAfterTheTopicWasDeleted() throws IOException {
        Subscribe stream =
                Subscribe.newBuilder().setTopic("gone").setMode(STREAM).build();
        try (RawPeer peer = RawPeer.connect(broker)) {
            client.admin().createTopic("gone", 1, Map.of());
            assertThat(peer.ask(FrameKind.SUBSCRIBE, 5, stream).isError()).isFalse();
            client.admin().deleteTopic("gone");

            RawPeer.Answer end = peer.read();
            assertThat(end.kind()).isEqualTo(FrameKind.SUBSCRIBE.code());
            assertThat(end.channel()).isEqualTo(5);
            assertThat(end.correlation()).isZero();
            assertThat(end.reason()).isEqualTo("TOPIC_NOT_FOUND");

            assertThat(peer.ask(FrameKind.UNSUBSCRIBE, 5, Unsubscribe.getDefaultInstance())
                            .isError())
                    .isFalse();
            assertThat(peer.ask(FrameKind.SUBSCRIBE, 5, inGroup("g")).isError()).isFalse();
        }
    }
}
