package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A consumer that stands still, as in a long pause of its machine, loses what it holds and finds that out. */
@Timeout(180)
class StoppedConsumerTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void refusesTheAcksOfAConsumerThatStoodStillUntilItsLeaseHadEnded() throws Exception {
        try (BrokerProcess broker = BrokerProcess.start(directory.resolve("data"));
                SpillwayClient client = broker.client()) {
            client.admin().createTopic("orders", 1, Map.of());
            try (Producer producer = client.producer("orders").open()) {
                producer.publishAndWait(OutgoingRecord.of(new byte[] {1}), SOON);
            }
            Path out = directory.resolve("consumer.out");
            Process consumer = start(broker.wire(), out);
            try {
                await("the record").atMost(SOON).until(() -> said(out).contains("holds 0"));
                signal(consumer, "STOP");
                try (Subscription other = client.subscribe("orders")
                        .group("g")
                        .start(StartPosition.earliest())
                        .open()) {
                    Message again = Objects.requireNonNull(other.poll(SOON), "the record did not come again");
                    assertThat(again.offset()).isZero();
                    assertThat(again.attempt()).isEqualTo(2);

                    signal(consumer, "CONT");
                    OutputStream in = consumer.getOutputStream();
                    in.write("ack\n".getBytes(StandardCharsets.UTF_8));
                    in.flush();
                    await("the late ack").atMost(SOON).until(() -> said(out).contains("done"));

                    assertThat(said(out)).contains("lost 0");
                    assertThat(client.admin().describeGroup("orders", "g").backlog())
                            .as("what the late ack settled")
                            .isEqualTo(1);
                    again.ack();
                    other.flushAcks(SOON);
                }
                assertThat(client.admin().describeGroup("orders", "g").backlog())
                        .isZero();
            } finally {
                consumer.destroyForcibly();
            }
        }
    }

    private Process start(String wire, Path out) throws IOException {
        List<String> command = new ArrayList<>(BrokerProcess.java(LateConsumer.class.getName(), wire, "orders", "g"));
        return new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(directory.resolve("consumer.err").toFile())
                .start();
    }

    private static List<String> said(Path out) throws IOException {
        return Files.readAllLines(out);
    }

    private static void signal(Process process, String name) throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
        assertThat(status).as("kill -%s", name).isZero();
    }
}
