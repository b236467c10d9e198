package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.spillway.client.ClientMetrics;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishAck;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Ping;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Peers that do not belong here: each is answered or left, and a good client beside them notices nothing. */
@Timeout(120)
class HostileFramesTest {
    private static final byte[] PREFACE = {(byte) 0x9b, 'S', 'P', 0x0a, 1, 1, 0, 0};
    private static final int HELLO = 1;
    private static final int PUBLISH = 0x10;
    private static final int CRITICAL = 8;

    @TempDir
    static Path directory;

    private static BrokerProcess broker;
    private static SpillwayClient client;
    private static Producer producer;

    @BeforeAll
    static void start() {
        broker = BrokerProcess.start(directory.resolve("data"));
        client = broker.client();
        client.admin().createTopic("good", 1, Map.of());
        producer = client.producer("good").open();
    }

    @AfterAll
    static void stop() {
        client.close();
        broker.close();
    }

    /** Whatever a test did, the good client's connection works. */
    @AfterEach
    void theGoodClientIsUnharmed() {
        assertThat(producer.publishAndWait(OutgoingRecord.of(new byte[10]), Duration.ofSeconds(10)))
                .isNotNull();
    }

    private static Socket connect() throws IOException {
        String[] address = broker.wire().split(":");
        Socket socket = new Socket(address[0], Integer.parseInt(address[1]));
        socket.setSoTimeout(15_000);
        return socket;
    }

    /** Sends the bytes and returns all that comes back until the broker closes. */
    private static byte[] exchange(byte[]... parts) throws IOException {
        try (Socket socket = connect()) {
            for (byte[] part : parts) {
                socket.getOutputStream().write(part);
            }
            return socket.getInputStream().readAllBytes();
        }
    }

    private static byte[] frame(long length, int kind, int flags, int headerBytes, byte... rest) {
        return ByteBuffer.allocate(16 + rest.length)
                .putInt((int) length)
                .put((byte) kind)
                .put((byte) flags)
                .putShort((short) 0)
                .putInt(headerBytes)
                .putInt(7)
                .put(rest)
                .array();
    }

    @Test
    void closesOnPeersOfOtherProtocols() throws IOException {
        assertThat(exchange("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
                .isEmpty();
        assertThat(exchange(new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1})).isEmpty();
        assertThat(exchange(new byte[64])).isEmpty();
    }

    @Test
    void refusesAVersionItDoesNotSpeak() throws IOException {
        byte[] answer = exchange(new byte[] {(byte) 0x9b, 'S', 'P', 0x0a, 7, 9, 0, 0});

        assertThat(answer).containsExactly(0x9b, 'S', 'P', 0x0a, 0, 1, 1, 1);
    }

    @Test
    void tellsAPeerThatThereAreTooMany() throws IOException {
        try (BrokerProcess small = BrokerProcess.start(directory.resolve("small"), "session.max-connections=1")) {
            String[] address = small.wire().split(":");
            try (RawPeer first = RawPeer.connect(small);
                    Socket second = new Socket(address[0], Integer.parseInt(address[1]))) {
                assertThat(first.ask(FrameKind.PING, 0, Ping.getDefaultInstance())
                                .isError())
                        .isFalse();
                second.setSoTimeout(15_000);
                second.getOutputStream().write(PREFACE);
                assertThat(second.getInputStream().readAllBytes()).containsExactly(0x9b, 'S', 'P', 0x0a, 0, 1, 1, 2);

                SpillwayException refused = catchThrowableOfType(
                        SpillwayException.class,
                        () -> small.clientBuilder().waitForBroker(Duration.ZERO).connect());
                assertThat(refused.toString()).contains("takes no more connections");
            }
            try (SpillwayClient later = small.client()) {
                assertThat(later.admin().listTopics()).isEmpty();
            }
        }
    }

    @Test
    void aBitThatIsFlippedOnTheWayIsSentAgainAndNeverStored() throws IOException {
        byte[] value = new byte[4_096];
        Arrays.fill(value, (byte) 'x');
        client.admin().createTopic("flipped", 1, Map.of());
        List<Integer> attempts = new CopyOnWriteArrayList<>();
        ClientMetrics counted = new ClientMetrics() {
            @Override
            public void onBatchSent(String topic, int partition, int records, int bytes, int attempt) {
                attempts.add(attempt);
            }
        };
        try (FlippingRelay relay = new FlippingRelay(broker.wire(), 'x');
                SpillwayClient far = SpillwayClient.builder()
                        .endpoints(relay.endpoint())
                        .metrics(counted)
                        .connect();
                Producer damaged = far.producer("flipped").open()) {
            PublishAck ack = damaged.publishAndWait(OutgoingRecord.of(value), Duration.ofSeconds(20));

            assertThat(relay.flipped()).isEqualTo(1);
            assertThat(attempts)
                    .as("sent, refused as CHECKSUM_MISMATCH, sent again")
                    .containsExactly(1, 2);
            assertThat(ack.offset()).isZero();
        }
        try (Subscription all =
                client.subscribe("flipped").start(StartPosition.earliest()).open()) {
            assertThat(all.poll(Duration.ofSeconds(20)))
                    .satisfies(message -> assertThat(message.value()).isEqualTo(value));
            assertThat(all.poll(Duration.ofMillis(200))).isNull();
        }
    }

    @Test
    void leavesAPeerThatNeverFinishesItsPreface() throws IOException {
        assertThat(exchange(new byte[] {(byte) 0x9b, 'S', 'P'})).isEmpty();
    }

    @Test
    void refusesAnOversizedFrameBeforeItsBytesCome() throws IOException {
        byte[] answer = exchange(PREFACE, frame(1 << 20, HELLO, 0, 0));

        assertThat(new String(answer, StandardCharsets.ISO_8859_1)).contains("TOO_LARGE");
    }

    @Test
    void refusesALyingHeaderLength() throws IOException {
        byte[] answer = exchange(PREFACE, frame(20, HELLO, 0, 100, new byte[8]));

        assertThat(new String(answer, StandardCharsets.ISO_8859_1)).contains("MALFORMED_FRAME");
    }

    @Test
    void refusesAHeaderThatIsNoProtobuf() throws IOException {
        byte[] rubbish = {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff};

        byte[] answer = exchange(PREFACE, frame(16, HELLO, 0, 4, rubbish));

        assertThat(new String(answer, StandardCharsets.ISO_8859_1)).contains("MALFORMED_FRAME");
    }

    @Test
    void refusesWorkBeforeHello() throws IOException {
        byte[] answer = exchange(PREFACE, frame(12, PUBLISH, 0, 0));

        assertThat(new String(answer, StandardCharsets.ISO_8859_1)).contains("MALFORMED_FRAME");
    }

    @Test
    void answersAnUnknownCriticalKindAndGoesOn() throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(PREFACE);
            socket.getOutputStream().write(frame(12, HELLO, 0, 0));
            socket.getOutputStream().write(frame(12, 0x7e, CRITICAL, 0));

            assertThat(readUntil(socket.getInputStream(), "UNSUPPORTED_KIND")).isTrue();

            socket.getOutputStream().write(frame(12, HELLO + 1, 0, 0));
            assertThat(socket.getInputStream().read()).as("still answered").isNotNegative();
        }
    }

    private static boolean readUntil(InputStream in, String text) throws IOException {
        StringBuilder seen = new StringBuilder();
        int next;
        while ((next = in.read()) >= 0) {
            seen.append((char) next);
            if (seen.indexOf(text) >= 0) {
                return true;
            }
        }
        return false;
    }

    @Test
    void survivesRandomBytesAfterThePreface() throws IOException {
        long seed = Long.getLong("spillway.seed", System.nanoTime());
        System.out.println("hostile bytes, seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 200; i++) {
            byte[] noise = new byte[random.nextInt(1, 400)];
            random.nextBytes(noise);
            try (Socket socket = connect()) {
                socket.getOutputStream().write(PREFACE);
                if (random.nextBoolean()) {
                    socket.getOutputStream().write(frame(12, HELLO, 0, 0));
                }
                socket.getOutputStream().write(noise);
            }
        }
    }
}
