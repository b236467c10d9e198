package io.spillway.examples;

import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Reads a topic from its beginning, without a group: every reader sees every record. */
public final class ConsumeExample {
    private ConsumeExample() {}

    public static void main(String[] endpoints) {
        run("orders", Duration.ofSeconds(5), endpoints).forEach(System.out::println);
    }

    /** Reads until nothing has come for {@code patience}. */
    public static List<String> run(String topic, Duration patience, String... endpoints) {
        List<String> values = new ArrayList<>();
        try (SpillwayClient client =
                        SpillwayClient.builder().endpoints(endpoints).connect();
                Subscription reader =
                        client.subscribe(topic).start(StartPosition.earliest()).open()) {
            for (Message message = reader.poll(patience); message != null; message = reader.poll(patience)) {
                values.add(new String(message.value(), StandardCharsets.UTF_8));
            }
        }
        return values;
    }
}
