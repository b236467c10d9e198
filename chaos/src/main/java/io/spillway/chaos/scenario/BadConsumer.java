package io.spillway.chaos.scenario;

import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.clients.Reader;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.history.Event;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A record that fails everywhere, and a member that fails everything. The group sets no bound of deliveries. */
final class BadConsumer implements Scenario {
    private static final String BAD = "go-2";
    private static final long EJECTED_MS = 20_000;
    private static final int POISON_MEMBERS = 3;
    private static final Writer.Pace PACE = new Writer.Pace(4, 6, 2, 100, 30_000);

    @Override
    public int number() {
        return 8;
    }

    @Override
    public String name() {
        return "poison";
    }

    @Override
    public Setup setup() {
        return Setup.of(Net.ANY, "go", "rust", "java", BAD);
    }

    /** One record of a hundred of a key of Go's. */
    private static boolean isPoison(String id) {
        return id.startsWith("go-k") && id.endsWith("00") && !id.endsWith("-0");
    }

    @Override
    public void play(Stage stage) throws InterruptedException {
        List<Client> clients = new ArrayList<>();
        for (String name : setup().clients()) {
            clients.add(stage.connect(name));
        }
        stage.clients().create("orders", Map.of());
        for (Client client : clients) {
            boolean isBad = client.name().equals(BAD);
            Reader.Habits habits = new Reader.Habits(10_000, 50, (id, attempt) -> isBad || isPoison(id));
            stage.clients().read(client, Groups.SHARED, habits);
        }
        long begunNs = stage.history().nowNs();
        stage.clients().write(clients.get(0), PACE, stage.random());
        stage.injected(BAD + " fails all it gets; each hundredth record of a key fails with everybody");

        long ejectedMs = stage.until(60_000, () -> !ejected(stage).isEmpty());
        stage.expectWithin("the bad member is ejected", EJECTED_MS, ejectedMs);
        stage.sleep(stage.ms(60_000, 15_000));
        List<Event.Delivered> poisoned = stage.events(Event.Delivered.class, begunNs)
                .filter(one -> isPoison(one.id()))
                .toList();
        long records = poisoned.stream().map(Event.Delivered::id).distinct().count();
        long deadMs = stage.until(60_000, () -> deadLetters(stage) >= records);
        stage.expect(
                "what everybody fails is in the dead letters",
                records + " records, " + deadLetters(stage) + " dead letters" + (deadMs < 0 ? ", never all" : ""),
                records > 0 && deadMs >= 0);
        stage.expect(
                "nobody else is ejected, of four members",
                ejected(stage).toString(),
                ejected(stage).size() == 1);
        Map<String, Set<String>> members = new HashMap<>();
        poisoned.forEach(
                one -> members.computeIfAbsent(one.id(), id -> new HashSet<>()).add(one.who()));
        int least = members.values().stream().mapToInt(Set::size).min().orElse(0);
        int most = poisoned.stream().mapToInt(Event.Delivered::attempt).max().orElse(0);
        stage.expect(
                "a record is given up once it failed with " + POISON_MEMBERS + " members, not before",
                "with " + least + " and more, in " + most + " deliveries at most",
                least >= POISON_MEMBERS);
    }

    /** Members, by the broker's number, that were ejected. */
    private static Set<String> ejected(Stage stage) {
        Set<String> members = new HashSet<>();
        stage.said("consumer_health").stream()
                .filter(event -> event.get("what").endsWith("to EJECTED"))
                .forEach(event -> members.add(event.get("member")));
        return members;
    }

    private static long deadLetters(Stage stage) {
        return stage.clients()
                .describe(Groups.SHARED)
                .path("ok")
                .path("dead_lettered")
                .asLong();
    }
}
