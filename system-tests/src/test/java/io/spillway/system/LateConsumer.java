package io.spillway.system;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;

/**
 * A consumer in a process of its own that takes one record and acks it when it is told to: a line on its input. It says
 * on its output what it holds, and which of its acks came too late.
 */
final class LateConsumer {
    private static final Duration SOON = Duration.ofSeconds(30);

    private LateConsumer() {}

    public static void main(String[] arguments) throws Exception {
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(arguments[0]).connect();
                Subscription group = client.subscribe(arguments[1])
                        .group(arguments[2])
                        .start(StartPosition.earliest())
                        .leaseTime(Duration.ofSeconds(1))
                        .maxUnacked(1)
                        .onLostLeases(lost -> System.out.println("lost " + lost.firstOffset()))
                        .open()) {
            Message message = Objects.requireNonNull(group.poll(SOON), "no record came");
            System.out.println("holds " + message.offset());
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
            message.ack();
            try {
                group.flushAcks(SOON);
            } finally {
                System.out.println("done");
            }
        }
    }
}
