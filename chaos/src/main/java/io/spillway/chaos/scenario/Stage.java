package io.spillway.chaos.scenario;

import io.spillway.chaos.Trial;
import io.spillway.chaos.check.Violation;
import io.spillway.chaos.clients.Client;
import io.spillway.chaos.clients.Clients;
import io.spillway.chaos.clients.Groups;
import io.spillway.chaos.clients.Reader;
import io.spillway.chaos.clients.Writer;
import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.history.Event;
import io.spillway.chaos.history.History;
import io.spillway.chaos.network.Network;
import io.spillway.conformance.driver.Language;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where a scenario plays: its cluster and clients, and what it has to tell. Confined to the scenario's thread. */
final class Stage implements AutoCloseable {
    /**
     * What scenarios of one run have in common.
     *
     * @param quick shorter, for a build: what takes a minute takes a dozen seconds
     */
    record Terms(List<Language> languages, long seed, boolean quick, PrintStream out) {}

    private final Terms terms;
    private final Path directory;
    private final Trial trial;
    private final SplittableRandom random;
    private final String name;
    private final List<Figure> figures = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<String> injected = new ArrayList<>();
    private final long beganNs = System.nanoTime();
    private boolean isOver;

    /** @param made of what its cluster is made */
    Stage(Scenario scenario, Terms terms, Trial.Plan made, Path directory) {
        this.terms = terms;
        this.directory = directory;
        name = scenario.number() + " " + scenario.name();
        random = new SplittableRandom(terms.seed() + scenario.number());
        say("starts three brokers");
        trial = new Trial(made, directory);
    }

    /** Tells whoever waits what goes on. */
    void say(String what) {
        long seconds = (System.nanoTime() - beganNs) / 1_000_000_000;
        terms.out().printf(Locale.ROOT, "  %-20s %4d s  %s%n", name, seconds, what);
    }

    /** Of the scenario; gone once all is well. */
    Path directory() {
        return directory;
    }

    Cluster cluster() {
        return trial.cluster();
    }

    Network network() {
        return trial.network();
    }

    Clients clients() {
        return trial.clients();
    }

    History history() {
        return trial.history();
    }

    SplittableRandom random() {
        return random.split();
    }

    boolean isQuick() {
        return terms.quick();
    }

    /** The one, or in a build the other. */
    long ms(long full, long quick) {
        return terms.quick() ? quick : full;
    }

    /** Connects a client of the set-up: go, or go-2. */
    Client connect(String client) {
        return connect(client, Map.of());
    }

    Client connect(String client, Map<String, Object> clientTerms) {
        String language = client.replaceAll("-\\d+$", "");
        Language found = terms.languages().stream()
                .filter(one -> one.name().equals(language))
                .findFirst()
                .orElseThrow();
        return clients().connect(client, found, clientTerms);
    }

    /** Go and Rust connect; each writes at that pace, and reads in the ordered group. */
    List<Client> writersAndReaders(Writer.Pace pace) {
        List<Client> both = List.of(connect("go"), connect("rust"));
        clients().create("orders", Map.of());
        for (Client client : both) {
            clients().write(client, pace, random());
            clients().read(client, Groups.ORDERED, Reader.Habits.good());
        }
        return both;
    }

    void sleep(long ms) throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(ms);
    }

    /** How long it took until it was so, in ms; -1 when it did not become so in time. */
    long until(long limitMs, BooleanSupplier condition) {
        long beganNs = System.nanoTime();
        boolean isSo = Cluster.await(limitMs, condition);
        return isSo ? (System.nanoTime() - beganNs) / 1_000_000 : -1;
    }

    /** Whether something that a client has written after this time is acked. */
    boolean writes(Client client, long ns) {
        return clients().progress().isAfter(client.name() + " writer", ns);
    }

    Node leader() {
        return cluster().leader().orElseThrow(() -> new IllegalStateException("there is no leader"));
    }

    /** Says, here and in the history, what was done. */
    void injected(String what) {
        injected.add(what);
        say(what);
        history().add(at -> new Event.Fault(at, "scenario", what));
    }

    void expect(String expected, String observed, boolean isMet) {
        figures.add(Figure.of(expected, observed, isMet));
        say((isMet ? "pass: " : "FAIL: ") + expected + ": " + observed);
    }

    /** @param tookMs -1 = never */
    void expectWithin(String expected, long limitMs, long tookMs) {
        expect(expected + " within " + seconds(limitMs), seconds(tookMs), tookMs >= 0 && tookMs <= limitMs);
    }

    void notRun(String expected, String why) {
        figures.add(Figure.notRun(expected, why));
        say("not run: " + expected + ": " + why);
    }

    void note(String what) {
        notes.add(what);
    }

    static String seconds(long ms) {
        return ms < 0 ? "never" : String.format(Locale.ROOT, "%.1f s", ms / 1e3);
    }

    /** Events of the history of a kind, from a time on. */
    <E extends Event> Stream<E> events(Class<E> type, long fromNs) {
        return history().events().stream()
                .filter(event -> event.atNs() >= fromNs)
                .filter(type::isInstance)
                .map(type::cast);
    }

    /** What the brokers have said of changes of this kind. */
    List<BrokerEvents.Event> said(String event) {
        return BrokerEvents.of(cluster().nodes(), List.of(event));
    }

    /** Ends all in order, and puts the rules of the checker to it. What must not be, by rule. */
    Map<String, List<Violation>> end() {
        if (isOver) {
            return Map.of();
        }
        isOver = true;
        say("ends, and checks");
        List<Violation> violations = trial.finish();
        violations.forEach(violation -> note(violation.toString()));
        List<Event> events = history().events();
        long acked = events.stream().filter(Event.Acked.class::isInstance).count();
        long delivered =
                events.stream().filter(Event.Delivered.class::isInstance).count();
        expect(
                "oracle: no rule is violated",
                String.format(Locale.ROOT, "%d (%,d acks, %,d deliveries)", violations.size(), acked, delivered),
                violations.isEmpty());
        List<BrokerEvents.Event> transitions = BrokerEvents.of(cluster().nodes(), BrokerEvents.TRANSITIONS);
        long explained =
                transitions.stream().filter(BrokerEvents.Event::isExplained).count();
        expect(
                "each transition says what, why, next",
                explained + " of " + transitions.size(),
                explained == transitions.size());
        Map<String, List<Violation>> byRule = new HashMap<>();
        violations.forEach(one ->
                byRule.computeIfAbsent(one.rule(), rule -> new ArrayList<>()).add(one));
        return byRule;
    }

    Result result(Scenario scenario, @Nullable Exception failure) {
        if (failure != null) {
            expect("the scenario comes to its end", failure.toString(), false);
        }
        return new Result(
                scenario.number(),
                scenario.name(),
                String.join("; ", injected),
                (System.nanoTime() - beganNs) / 1_000_000_000,
                List.copyOf(figures),
                List.copyOf(notes));
    }

    @Override
    public void close() {
        trial.close();
    }
}
