package io.spillway.chaos.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.clients.Client;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * Many records of one client to one topic in an open loop, counted by the client and not in the history.
 *
 * @param calls records given to the client
 * @param acked as the client says
 * @param failed as the client says
 * @param failures by reason
 * @param seconds it took
 */
record Load(long calls, long acked, long failed, String failures, double seconds) {
    private static final int BYTES = 128;

    /** @param perSecond records */
    static CompletableFuture<Load> of(Stage stage, Client client, String topic, int perSecond, long count) {
        String producer = topic + "-load";
        client.succeeds(
                Client.request("producer.open")
                        .put("client", Client.NAME)
                        .put("producer", producer)
                        .put("topic", topic)
                        .put("delivery_timeout_ms", 60_000)
                        .put("max_block_ms", 60_000),
                stage.history());
        return CompletableFuture.supplyAsync(() -> {
            ObjectNode request = Client.request("producer.generate")
                    .put("producer", producer)
                    .put("count", count)
                    .put("size", BYTES)
                    .put("per_second", perSecond);
            long begunNs = System.nanoTime();
            JsonNode answer = client.call(request);
            return of(answer, count, (System.nanoTime() - begunNs) / 1e9);
        });
    }

    private static Load of(JsonNode answer, long count, double seconds) {
        if (answer.has("error")) {
            return new Load(count, 0, 0, answer.path("error").toString(), seconds);
        }
        JsonNode ok = answer.path("ok");
        long failed = 0;
        for (JsonNode each : ok.path("failed")) {
            failed += each.asLong();
        }
        return new Load(
                count, ok.path("acked").asLong(), failed, ok.path("failed").toString(), seconds);
    }

    double perSecond() {
        return acked / seconds;
    }

    boolean isComplete() {
        return acked + failed == calls;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%,d calls, %,d acked, failed %s", calls, acked, failures);
    }
}
