package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Counts;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Rust writes ten times what Go writes, first as it likes, then with a quota. */
final class Flood implements Scenario {
    private static final int GO_PER_SECOND = 1_000;
    private static final int RUST_PER_SECOND = 10 * GO_PER_SECOND;
    /** A quarter of what the flood is, with what a record counts for beside its bytes. */
    private static final long QUOTA = RUST_PER_SECOND * (128L + 256) / 4;

    private static final double KEPT = 0.95;

    @Override
    public int number() {
        return 4;
    }

    @Override
    public String name() {
        return "flood";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        Client go = stage.connect("go");
        Client rust = stage.connect("rust");
        stage.clients().create("orders", Map.of());
        stage.clients().create("flood", Map.of());
        long seconds = stage.ms(15_000, 4_000) / 1_000;
        long goCount = GO_PER_SECOND * seconds;
        Load.of(stage, go, "orders", GO_PER_SECOND, GO_PER_SECOND * 3L).join();
        Load quiet = Load.of(stage, go, "orders", GO_PER_SECOND, goCount).join();
        Counts goBefore = go.counts();
        Counts rustBefore = rust.counts();

        CompletableFuture<Load> flood = Load.of(stage, rust, "flood", RUST_PER_SECOND, RUST_PER_SECOND * (seconds + 2));
        stage.injected("Rust publishes " + RUST_PER_SECOND + " records/s, Go " + GO_PER_SECOND);
        stage.sleep(1_000);
        Load flooded = Load.of(stage, go, "orders", GO_PER_SECOND, goCount).join();
        Load first = flood.join();
        kept(stage, "go keeps 95 % of its throughput", quiet, flooded);

        String set = stage.cluster()
                .asking()
                .post(
                        stage.leader(),
                        "/quotas/set",
                        Map.of("scope", "domain", "name", "rust", "rate", Long.toString(QUOTA)));
        stage.injected("a quota of " + QUOTA + " bytes/s for the domain rust: " + set);
        Counts before = rust.counts();
        CompletableFuture<Load> owed = Load.of(stage, rust, "flood", RUST_PER_SECOND, RUST_PER_SECOND * (seconds + 2));
        stage.sleep(1_000);
        Load beside = Load.of(stage, go, "orders", GO_PER_SECOND, goCount).join();
        Load second = owed.join();
        Counts rustSince = rust.counts().since(before);
        kept(stage, "go keeps 95 % of its throughput beside a quota", quiet, beside);
        stage.expect(
                "rust is told to wait, by throttle_ms or THROTTLED, and keeps to its quota",
                String.format(
                        Locale.ROOT,
                        "%d times by acks, %d batches refused; %,.0f records/s of %,d, without the quota %,.0f",
                        rustSince.throttled(),
                        rustSince.resent(),
                        second.perSecond(),
                        RUST_PER_SECOND,
                        first.perSecond()),
                rustSince.throttled() + rustSince.resent() > 0 && second.perSecond() < 0.5 * RUST_PER_SECOND);
        List<BrokerEvents.Event> pressure = stage.said("pressure").stream()
                .filter(event -> event.get("domain").equals("go"))
                .filter(event -> event.get("scope").contains("domain"))
                .toList();
        stage.expect(
                "what the broker says of pressure is of the domain rust alone",
                "of rust: " + reasons(stage) + ", of go: " + pressure.size(),
                pressure.isEmpty());
        Counts rustAll = rust.counts().since(rustBefore);
        stage.expect(
                "rust: batches sent again are at most 10 % of its calls",
                rustAll.resent() + " of " + rustAll.sent(), rustAll.resent() * 10 <= rustAll.sent());
        long lost = go.counts().since(goBefore).disconnected() + rustAll.disconnected();
        stage.expect("no breaker opens: no connection is left", Long.toString(lost), lost == 0);
        List<Load> all = List.of(quiet, flooded, beside, first, second);
        stage.expect(
                "terminal results = calls, none failed",
                first + "; " + second,
                all.stream().allMatch(load -> load.isComplete() && load.failed() == 0));
        long stored = stage.clients().stored("flood");
        long acked = first.acked() + second.acked();
        stage.expect(
                "what is acked is in the log, once",
                String.format(Locale.ROOT, "%,d acked, %,d stored", acked, stored),
                acked == stored);
    }

    private static void kept(Stage stage, String what, Load quiet, Load flooded) {
        stage.expect(
                what,
                String.format(Locale.ROOT, "%,.0f of %,.0f records/s", flooded.perSecond(), quiet.perSecond()),
                flooded.perSecond() >= KEPT * quiet.perSecond());
    }

    private static String reasons(Stage stage) {
        return stage.said("pressure").stream()
                .filter(event -> event.get("domain").equals("rust"))
                .filter(event -> event.get("scope").contains("domain"))
                .map(event -> event.get("to") + " " + event.get("why"))
                .distinct()
                .toList()
                .toString();
    }
}
