package io.spillway.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The disk where a copy is kept is full: copying waits, says why, and goes on by itself. */
@Timeout(180)
class LinkDiskFullTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    @Test
    void copyingWaitsForSpaceAndGoesOnWhereItWas() throws Exception {
        try (Environment.Mount disk = Environment.mount(directory, 160);
                BrokerProcess source = BrokerProcess.start(directory.resolve("source"));
                BrokerProcess copy = BrokerProcess.start(
                        disk.point().resolve("copy"),
                        "log.segment-bytes=8MiB",
                        "log.min-free-bytes=24MiB",
                        "retention.check-interval-ms=500ms");
                SpillwayClient there = source.client();
                SpillwayClient here = copy.client()) {
            there.admin().createTopic("numbers", 1, Map.of());
            publish(there, 0, 1_000);
            assertThat(link(copy, "create", "l1", "--from", source.wire(), "--topics", "numbers")
                            .exit())
                    .isZero();
            awaitCopied(there, here);

            Path ballast = disk.point().resolve("ballast");
            occupy(ballast);
            await("the copy's broker to see that")
                    .atMost(BrokerProcess.PATIENCE)
                    .until(() -> !isReady(copy));
            publish(there, 1_000, 2_000);
            await("the link to say so").atMost(BrokerProcess.PATIENCE).until(() -> {
                Cli status = link(copy, "status", "l1");
                return status.exit() != 0 && status.out().contains("READ_ONLY");
            });
            assertThat(here.admin().describeTopic("numbers").records()).isLessThan(2_000);

            Files.delete(ballast);
            awaitCopied(there, here);
            assertThat(Numbers.readAll(here, "numbers"))
                    .extracting(message -> Numbers.numberOf(message.value()))
                    .isEqualTo(Numbers.readAll(there, "numbers").stream()
                            .map(message -> Numbers.numberOf(message.value()))
                            .toList());
        }
    }

    private static boolean isReady(BrokerProcess broker) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + broker.http() + "/readyz"))
                .timeout(SOON)
                .build();
        return HttpClient.newHttpClient()
                        .send(request, BodyHandlers.discarding())
                        .statusCode()
                == 200;
    }

    private static void publish(SpillwayClient client, long from, long to) {
        try (Producer producer = client.producer("numbers").open()) {
            for (long number = from; number < to; number++) {
                producer.publish(OutgoingRecord.of(Numbers.value(number)));
            }
            producer.flush(SOON);
        }
    }

    private static void awaitCopied(SpillwayClient there, SpillwayClient here) {
        await("the copy to be whole")
                .atMost(BrokerProcess.PATIENCE)
                .ignoreExceptions()
                .until(() -> here.admin().describeTopic("numbers").records()
                        == there.admin().describeTopic("numbers").records());
    }

    private static Cli link(BrokerProcess at, String... arguments) throws Exception {
        String[] all = new String[arguments.length + 3];
        all[0] = "link";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[arguments.length + 1] = "--http";
        all[arguments.length + 2] = at.http();
        return Cli.run(all);
    }

    /** Takes the last byte of the file system. */
    private static void occupy(Path file) throws IOException {
        byte[] block = new byte[64 << 10];
        try (OutputStream out = Files.newOutputStream(file)) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left");
        }
    }
}
