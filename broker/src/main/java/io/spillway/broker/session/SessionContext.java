package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.auth.Access;
import io.spillway.broker.auth.AuthFiles;
import io.spillway.broker.auth.AuthSettings;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.Switches;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.flow.DegradationStep;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.replay.ReplayService;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.toggles.Toggles;
import io.spillway.protocol.v1.Endpoint;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** What all sessions of a broker share. Thread-safe. */
public final class SessionContext {
    private static final byte[] NO_LAG = new byte[0];

    final SessionConfig config;
    final Published<TopicCatalog> catalog;
    final Clock clock;
    final RandomGenerator random;
    final String nodeId;
    final String version;
    final Published<Boolean> draining = new Published<>(false);
    final Published<Endpoint> endpoint = new Published<>(Endpoint.getDefaultInstance());
    /** Live sessions by client instance, so that a newer one fences the older. */
    final ConcurrentHashMap<String, ClientSession> byInstance = new ConcurrentHashMap<>();

    final PublishBudget publishBudget;
    final Buckets buckets = new Buckets();
    private final QuotaSettings quotaSettings;
    private final ToggleSettings toggleSettings;
    private final Published<Consumer<Boolean>> replaysHeld = new Published<>(held -> {});
    private final Published<Supplier<Degradation.View>> degradation;
    private final Published<Supplier<PressureSignal>> pressure = new Published<>(() -> PressureSignal.NONE);
    final Published<ClusterView> cluster = new Published<>(ClusterView.ALONE);
    private final Published<Faults> faults = new Published<>(Faults.NONE);
    private final Published<Supplier<byte[]>> zoneLag = new Published<>(() -> NO_LAG);
    /** Publishes refused because their quota is owed too much. */
    final LongAdder overQuota = new LongAdder();

    /** Publishes refused because of their class. */
    final LongAdder shed = new LongAdder();

    final LongAdder protocolErrors = new LongAdder();
    final Audit audit;
    private final Published<Security> security;
    final ReplayService replays;
    private final List<Shard> shards;
    private final AtomicLong nextEpoch;

    public SessionContext(
            SessionConfig config,
            Published<TopicCatalog> catalog,
            List<Shard> shards,
            Audit audit,
            ReplayService replays,
            Clock clock,
            RandomGenerator random,
            String nodeId,
            String version) {
        this.config = config;
        publishBudget = new PublishBudget(config.publishBudgetBytes());
        this.catalog = catalog;
        this.shards = shards;
        this.audit = audit;
        quotaSettings = new QuotaSettings(shards.get(0).mailbox(), audit, shards.get(0)::quotas);
        toggleSettings = new ToggleSettings(shards.get(0).mailbox(), audit, shards.get(0)::toggles, clock);
        security = new Published<>(new Security(
                AuthSettings.OPEN, () -> Access.NONE, () -> AuthFiles.NONE, audit, clock, new SecureRandom()));
        this.replays = replays;
        this.clock = clock;
        this.random = random;
        this.nodeId = nodeId;
        Degradation.View well = new Degradation.View(DegradationStep.NORMAL, "", clock.nowMs());
        degradation = new Published<>(() -> well);
        this.version = version;
        nextEpoch = new AtomicLong(clock.nowMs() << 16);
    }

    public Clock clock() {
        return clock;
    }

    public String nodeId() {
        return nodeId;
    }

    public String version() {
        return version;
    }

    Mailbox mailbox(TopicSpec topic) {
        return shards.get(topic.shard()).mailbox();
    }

    /** By failure domain, how many bytes each publisher to a topic may have unanswered, where it is not as many as ever. */
    Supplier<Map<String, Long>> windows(TopicSpec topic) {
        return shards.get(topic.shard())::windows;
    }

    Mailbox catalogMailbox() {
        return shards.get(0).mailbox();
    }

    long nextEpoch() {
        return nextEpoch.getAndIncrement();
    }

    /** Where clients can go: the nodes of the cluster with the leader first, or this broker alone. */
    List<Endpoint> endpoints() {
        List<Endpoint> nodes = Leader.endpoints(cluster.get());
        return nodes.isEmpty() ? List.of(endpoint.get()) : nodes;
    }

    /** Where clients reach this broker or its cluster, as text. */
    public String place() {
        return endpoints().stream()
                .map(each -> new ListenAddress(each.getHost(), each.getPort()).toString())
                .collect(Collectors.joining(","));
    }

    /** Whether the client instance of these bytes has a session here. */
    public boolean hasSession(byte[] instance) {
        return byInstance.containsKey(HexFormat.of().formatHex(instance));
    }

    /** Whether clients are served here. */
    public boolean leads() {
        return cluster.get().leads();
    }

    /** What is injected for a rehearsal. */
    public Faults faults() {
        return faults.get();
    }

    /** What is injected has changed. */
    public void faults(Faults now) {
        faults.set(now);
    }

    /** What is asked of all topics, as it changes. */
    public Published<TopicCatalog> topicCatalog() {
        return catalog;
    }

    public ClusterView cluster() {
        return cluster.get();
    }

    /** From where acks have what they say of asynchronous zones: bytes to be appended to a PublishAck. */
    public void zoneLag(Supplier<byte[]> source) {
        zoneLag.set(source);
    }

    byte[] zoneLag() {
        return zoneLag.get().get();
    }

    /** Who leads has changed. */
    public void cluster(ClusterView view) {
        cluster.set(view);
    }

    /** Where this broker is reached, once it listens. */
    public void listensAt(String host, int port) {
        endpoint.set(Endpoint.newBuilder()
                .setBrokerId(1)
                .setHost(host)
                .setPort(port)
                .setWeight(100)
                .build());
    }

    /** From now on new work is refused with DRAINING. */
    public void drain() {
        draining.set(true);
    }

    /** Bytes of publishes that are not answered yet. */
    public long publishBytes() {
        return publishBudget.bytes();
    }

    /** Who knows at which step of degradation the broker is, and what presses on everybody. */
    public void degradation(Supplier<Degradation.View> source, Supplier<PressureSignal> ofBroker) {
        degradation.set(source);
        pressure.set(ofBroker);
    }

    /** Who is told when replays have to wait. */
    public void onReplaysHeld(Consumer<Boolean> listener) {
        replaysHeld.set(listener);
    }

    public void holdReplays(boolean held) {
        replaysHeld.get().accept(held);
    }

    Degradation.View degradation() {
        return degradation.get().get();
    }

    /** Whether new connections are refused. */
    public boolean isTooBusyForMore() {
        return pressure.get().get().refusesConnections();
    }

    Quotas quotas() {
        return quotaSettings.all();
    }

    public Audit audit() {
        return audit;
    }

    /** Who may come in and do what; before anybody comes. */
    public void security(Security of) {
        security.set(of);
    }

    public Security security() {
        return security.get();
    }

    Toggles toggles() {
        return toggleSettings.all();
    }

    public ToggleSettings toggleSettings() {
        return toggleSettings;
    }

    public QuotaSettings quotaSettings() {
        return quotaSettings;
    }

    /** Publishes refused because their quota is owed too much. */
    public long overQuota() {
        return overQuota.sum();
    }

    /** Who has published more than a quota allows by now. */
    public List<Surroundings.Debt> debts() {
        return buckets.debts(clock.nanoTime());
    }

    /** Publishes refused because of their class. */
    public long shed() {
        return shed.sum();
    }

    public long protocolErrors() {
        return protocolErrors.sum();
    }

    public boolean isDraining() {
        return draining.get();
    }

    /** All topics, as of now. */
    public TopicCatalog catalog() {
        return catalog.get();
    }

    /** Topics of which something is switched. */
    public long topics(Predicate<Switches> which) {
        return catalog.get().all().stream()
                .filter(topic -> which.test(topic.switches()))
                .count();
    }

    public int topics() {
        return catalog.get().size();
    }
}
