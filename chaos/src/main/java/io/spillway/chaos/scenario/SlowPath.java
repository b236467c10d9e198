package io.spillway.chaos.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Counts;
import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.clients.Reader;
import io.spillway.chaos.clients.Writer;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The way to the Rust client, and back, is long and of changing length; Go's is as it was. */
final class SlowPath implements Scenario {
    /** Each way. */
    private static final int DELAY_MS = 150;

    private static final int JITTER_MS = 50;
    private static final int BULK_RECORDS = 20_000;
    private static final int BULK_BATCH_BYTES = 16_384;
    private static final int BULK_RECORD_BYTES = 200;
    private static final Writer.Pace PACE = new Writer.Pace(4, 2, 2, 25, 30_000);

    @Override
    public int number() {
        return 3;
    }

    @Override
    public String name() {
        return "slow-path";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.PROXIES, "go", "rust");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        Client go = stage.connect("go");
        Client rust = stage.connect("rust");
        stage.clients().create("orders", Map.of());
        for (Client client : List.of(go, rust)) {
            stage.clients().write(client, PACE, stage.random());
            stage.clients().read(client, Groups.ORDERED, Reader.Habits.good());
        }
        stage.sleep(stage.ms(5_000, 2_000));
        long calmNs = stage.history().nowNs();
        stage.sleep(stage.ms(25_000, 6_000));
        Counts goBefore = go.counts();
        Counts rustBefore = rust.counts();

        stage.network().delay("rust", DELAY_MS, JITTER_MS);
        long lateNs = stage.history().nowNs();
        stage.injected("+" + 2 * DELAY_MS + " ms, give or take " + 2 * JITTER_MS + " ms, to Rust and back");
        stage.sleep(stage.ms(25_000, 6_000));
        long endNs = stage.history().nowNs();
        double perSecond = bulk(rust, stage);
        Counts goSince = go.counts().since(goBefore);
        Counts rustSince = rust.counts().since(rustBefore);
        stage.network().heal();
        stage.sleep(2_000);
        stage.end();

        Outcomes calm = new Outcomes(stage.history().events(), "go", calmNs, lateNs);
        Outcomes late = new Outcomes(stage.history().events(), "go", lateNs, endNs);
        Outcomes calmRust = new Outcomes(stage.history().events(), "rust", calmNs, lateNs);
        Outcomes lateRust = new Outcomes(stage.history().events(), "rust", lateNs, endNs);
        stage.expect(
                "go: p99 rises by less than 10 %",
                String.format(
                        Locale.ROOT,
                        "%.0f ms before, %.0f ms during (p50 %.0f, %.0f)",
                        calm.latencyMs(990),
                        late.latencyMs(990),
                        calm.latencyMs(500),
                        late.latencyMs(500)),
                late.latencyMs(990) < 1.1 * calm.latencyMs(990));
        stage.expect(
                "rust: p50 rises by the delay",
                String.format(
                        Locale.ROOT,
                        "%.0f ms before, %.0f ms during",
                        calmRust.latencyMs(500),
                        lateRust.latencyMs(500)),
                lateRust.latencyMs(500) >= 2 * (DELAY_MS - JITTER_MS));
        stage.expect(
                "no attempt times out, so no window shrinks: nothing is sent again",
                "go " + goSince.resent() + ", rust " + rustSince.resent(),
                goSince.resent() + rustSince.resent() == 0);
        stage.expect(
                "breakers stay CLOSED: nobody leaves an endpoint",
                "go " + goSince.disconnected() + ", rust " + rustSince.disconnected() + " connections lost",
                goSince.disconnected() + rustSince.disconnected() == 0);
        double underWay = perSecond * 2 * DELAY_MS / 1_000 * BULK_RECORD_BYTES / BULK_BATCH_BYTES;
        stage.expect(
                "rust: throughput is window / RTT, and the window at most 32 batches a partition",
                String.format(
                        Locale.ROOT, "%,.0f records/s of 200 B, %.0f batches of 16 KiB under way", perSecond, underWay),
                underWay > 1 && underWay < 4 * 32);
    }

    /** As fast as it goes; records a second. */
    private static double bulk(Client rust, Stage stage) {
        rust.succeeds(
                Client.request("producer.open")
                        .put("client", Client.NAME)
                        .put("producer", "bulk")
                        .put("topic", "orders")
                        .put("max_batch_bytes", BULK_BATCH_BYTES),
                stage.history());
        long begunNs = System.nanoTime();
        JsonNode answer = rust.call(Client.request("producer.generate")
                .put("producer", "bulk")
                .put("count", BULK_RECORDS)
                .put("size", BULK_RECORD_BYTES));
        double seconds = (System.nanoTime() - begunNs) / 1e9;
        return answer.path("ok").path("acked").asLong() / seconds;
    }
}
