package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.audit.AuditEntry.Phase;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.NearestName;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.chaos.Fault;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.chaos.FaultScope;
import io.spillway.broker.chaos.FaultTable;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.chaos.Faults.Injected;
import io.spillway.broker.chaos.QuorumGuard;
import io.spillway.broker.cluster.Fellows;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Code;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Injects faults into this node for a rehearsal, and ends them: when somebody says so, when their time is over, and with the
 * process. Thread-safe; what is asked is done by whoever calls {@link #tick}, one thing after the other.
 */
public final class ChaosControl implements Fellows.Host {
    public static final int TICK_MS = 50;

    /** As a peer: all others. */
    public static final String ALL = "all";

    private static final Logger LOG = LoggerFactory.getLogger(ChaosControl.class);
    private static final int MAX_REASON = 1_024;
    /** Who ends what nobody has ended. */
    private static final String BROKER = "the broker";

    private final Terms terms;
    private final Audit audit;
    private final Clock clock;
    private final RandomGenerator random;
    private final Consumer<Faults> changed;
    private final Published<Fellows> fellows = new Published<>(Fellows.NONE);
    private final Published<Faults> now = new Published<>(Faults.NONE);
    private final Inbox inbox = new Inbox();
    private final FaultTable table = new FaultTable();
    /** Announced, so that two who ask at two nodes at once see each other; not injected yet. */
    private final Published<List<Fault>> announced = new Published<>(List.of());

    /**
     * @param node the id of this one
     * @param enabled whether there may be faults at all
     */
    public record Terms(String node, boolean enabled) {}

    /**
     * A fault somebody wants.
     *
     * @param node where; empty = here, wherever that is
     */
    public record Wanted(Fault.Plan what, long ttlMs, String node, String who, String reason) {}

    /** @param changed told of the faults there are, when these are others */
    public ChaosControl(Terms terms, Audit audit, Clock clock, RandomGenerator random, Consumer<Faults> changed) {
        this.terms = terms;
        this.audit = audit;
        this.clock = clock;
        this.random = random;
        this.changed = changed;
    }

    public boolean isEnabled() {
        return terms.enabled;
    }

    /** Before anybody asks; in a cluster. */
    public void joins(Fellows others) {
        fellows.set(others);
    }

    public Faults view() {
        return now.get();
    }

    public int active(FaultKind kind) {
        return (int)
                now.get().list().stream().filter(fault -> fault.kind() == kind).count();
    }

    /** How often faults of a kind have hit since the broker started. */
    public long hits(FaultKind kind) {
        return table.endedHits(kind)
                + now.get().all().stream()
                        .filter(each -> each.fault().kind() == kind)
                        .mapToLong(each -> each.hits().sum())
                        .sum();
    }

    /** Does what was asked, and ends what is over. */
    public void tick() {
        try {
            inbox.run(0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        List<Injected> over = table.expire(clock.nowMs());
        if (!over.isEmpty()) {
            publish();
            over.forEach(each -> ended(each, entry("chaos.expire", each.fault(), BROKER, "its time is over")));
        }
    }

    /** Injects a fault: checked against what is left of the majority, and audited before it is there. */
    public CompletableFuture<Fault> start(Wanted wanted) {
        CompletableFuture<Fault> answer = new CompletableFuture<>();
        ask(answer, () -> begin(check(wanted), answer));
        return answer;
    }

    private <T> void ask(CompletableFuture<T> answer, Runnable request) {
        if (!terms.enabled) {
            answer.completeExceptionally(disabled());
            return;
        }
        if (!inbox.offer(guarded(answer, request))) {
            answer.completeExceptionally(new SpillwayException(
                    Code.OVERLOADED, "nothing is done", "too much is asked at once", "try again"));
        }
    }

    private static Runnable guarded(CompletableFuture<?> answer, Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        };
    }

    private static SpillwayException disabled() {
        return new SpillwayException(
                Code.WRONG_STATE,
                "no fault is injected",
                "this broker was started with chaos.enabled=false, as it should be outside of rehearsals",
                "to rehearse, start it with --set chaos.enabled=true");
    }

    private Wanted check(Wanted wanted) {
        if (!wanted.node.isEmpty() && !wanted.node.equals(terms.node)) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "no fault is injected at node " + wanted.node,
                    "this is node " + terms.node + ", and a fault is of the node that is asked",
                    "give the http address of node " + wanted.node + " with --http");
        }
        if (wanted.reason.isBlank() || wanted.reason.length() > MAX_REASON) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "no fault is injected",
                    wanted.reason.isBlank() ? "the reason is missing" : "the reason is too long",
                    "give one of up to " + MAX_REASON + " characters");
        }
        Fault.checkTtl(wanted.ttlMs);
        Fault.Plan resolved = resolve(wanted.what);
        resolved.check();
        return new Wanted(resolved, wanted.ttlMs, wanted.node, wanted.who, wanted.reason);
    }

    /** With the peers by name. */
    private Fault.Plan resolve(Fault.Plan what) {
        FaultScope scope = what.scope();
        if (scope.peers().isEmpty()) {
            return what;
        }
        List<String> others = fellows.get().others();
        boolean isAll = scope.peers().equals(List.of(ALL));
        for (String peer : isAll ? List.<String>of() : scope.peers()) {
            if (!others.contains(peer)) {
                throw new SpillwayException(
                        Code.NOT_FOUND,
                        "no fault is injected",
                        others.isEmpty()
                                ? "this node is in no cluster, and has no peer"
                                : "there is no other node " + peer + "; there are " + String.join(", ", others),
                        NearestName.of(peer, others)
                                .map(name -> "did you mean " + name + "?")
                                .orElse("see spillway cluster status"));
            }
        }
        List<String> peers = isAll ? others : scope.peers();
        return new Fault.Plan(
                what.kind(),
                new FaultScope(scope.topic(), scope.principal(), scope.domain(), peers),
                what.percent(),
                what.delayMs(),
                what.code());
    }

    private void begin(Wanted wanted, CompletableFuture<Fault> answer) {
        long nowMs = clock.nowMs();
        Fault fault = new Fault(newId(), wanted.what, wanted.who, wanted.reason, nowMs, nowMs + wanted.ttlMs);
        Fellows others = fellows.get();
        if (others.voters().isEmpty() || !QuorumGuard.concerns(wanted.what)) {
            write(fault, answer);
            return;
        }
        announce(fault, true);
        answer.whenComplete((done, failure) -> inbox.put(() -> announce(fault, false)));
        others.faults()
                .whenComplete((theirs, failure) -> inbox.put(guarded(answer, () -> {
                    String refusal = refusal(others, theirs == null ? Map.of() : theirs, fault);
                    if (refusal.isEmpty()) {
                        write(fault, answer);
                    } else {
                        answer.completeExceptionally(new SpillwayException(
                                Code.WRONG_STATE,
                                wanted.what.text() + " is not injected: the cluster would lose its majority",
                                refusal,
                                "end other faults first (spillway chaos list, spillway chaos stop ID), or bring back the voters that are"
                                        + " away"));
                    }
                })));
    }

    private String newId() {
        String id = String.format("%06x", random.nextInt(1 << 24));
        return now.get().has(id) ? newId() : id;
    }

    private void announce(Fault fault, boolean isNew) {
        List<Fault> all = new ArrayList<>(announced.get());
        all.remove(fault);
        if (isNew) {
            all.add(fault);
        }
        announced.set(List.copyOf(all));
    }

    private String refusal(Fellows others, Map<String, List<Fault>> theirs, Fault fault) {
        Map<String, List<Fault>> all = new HashMap<>(theirs);
        List<Fault> own = new ArrayList<>(faults());
        own.remove(fault);
        all.put(terms.node, own);
        return new QuorumGuard(others.voters(), all).refusal(terms.node, fault.what());
    }

    private void write(Fault fault, CompletableFuture<Fault> answer) {
        AuditEntry entry = entry("chaos.start", fault, fault.who(), fault.reason());
        Reply<Fault> reply = Reply.completing(answer);
        audit.aroundHere(
                entry,
                audited -> inbox.put(() -> inject(fault, audited)),
                reply,
                done -> "until " + Instant.ofEpochMilli(done.untilMs()));
    }

    /** The others' side of a partition first: one that only they do not know of could not be ended there. */
    private void inject(Fault fault, Reply<Fault> reply) {
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        fault.what().scope().peers().forEach(peer -> asked.add(fellows.get().part(peer, fault)));
        CompletableFuture.allOf(asked.toArray(CompletableFuture<?>[]::new))
                .whenComplete((done, failure) -> inbox.put(() -> {
                    try {
                        if (failure != null) {
                            throw unparted(fault, failure);
                        }
                        add(fault);
                        reply.ok(fault);
                    } catch (SpillwayException e) {
                        heal(fault);
                        reply.failed(e);
                    }
                }));
    }

    private static SpillwayException unparted(Fault fault, Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return new SpillwayException(
                Code.WRONG_STATE,
                fault.what().text() + " is not injected",
                "not all peers play their part: " + cause.getMessage(),
                "start them all with --set chaos.enabled=true",
                0,
                failure);
    }

    private void add(Fault fault) {
        table.add(fault);
        publish();
        LOG.warn(
                "event=chaos_started what=\"{}\" why=\"{}\" next=\"it ends by itself; before that: spillway chaos stop {}\"",
                fault.text(),
                fault.reason(),
                fault.id());
    }

    private void publish() {
        now.set(table.view());
        changed.accept(table.view());
    }

    /** Ends a fault, or all of them; those that have ended. NOT_FOUND when there is none of that id. */
    public CompletableFuture<List<Fault>> stop(String id, String who, String reason) {
        CompletableFuture<List<Fault>> answer = new CompletableFuture<>();
        ask(answer, () -> {
            List<Fault> ended = new ArrayList<>();
            List<String> ids =
                    id.equals(ALL) ? now.get().list().stream().map(Fault::id).toList() : List.of(id);
            ids.forEach(each -> ended.addAll(remove(each, who, reason)));
            if (ended.isEmpty() && !id.equals(ALL)) {
                throw new SpillwayException(
                        Code.NOT_FOUND,
                        "there is no fault " + id + " at node " + terms.node,
                        "its time is over, it was ended before, or it is at another node",
                        "see spillway chaos list");
            }
            answer.complete(ended);
        });
        return answer;
    }

    /** What ends a fault does not wait for the audit. */
    private List<Fault> remove(String id, String who, String reason) {
        List<Injected> removed = table.remove(id);
        if (!removed.isEmpty()) {
            publish();
            removed.forEach(each -> {
                ended(each, entry("chaos.stop", each.fault(), who, reason));
                heal(each.fault());
            });
        }
        return removed.stream().map(Injected::fault).toList();
    }

    private void heal(Fault fault) {
        fault.what().scope().peers().forEach(peer -> fellows.get().heal(peer, fault.id()));
    }

    private void ended(Injected each, AuditEntry entry) {
        long hits = each.hits().sum();
        LOG.warn(
                "event=chaos_ended what=\"{}\" why=\"{}\" hits={} next=\"see that all is well: spillway diagnose\"",
                each.fault().text(),
                entry.operation(),
                hits);
        audit.note(entry, Phase.DONE, "it hit " + hits + " times");
    }

    private AuditEntry entry(String operation, Fault fault, String who, String reason) {
        Map<String, String> detail = new LinkedHashMap<>();
        detail.put("fault", fault.id());
        detail.put("what", fault.what().text());
        detail.put("node", terms.node);
        detail.put("ttl_ms", Long.toString(fault.untilMs() - fault.startedMs()));
        return new AuditEntry(who, operation, fault.what().scope().topic(), "", reason, detail);
    }

    // ---- as a peer

    @Override
    public List<Fault> faults() {
        List<Fault> all = new ArrayList<>(now.get().list());
        announced.get().stream().filter(each -> !now.get().has(each.id())).forEach(all::add);
        return all;
    }

    @Override
    public CompletableFuture<Void> begin(Fault fault) {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        ask(answer, () -> {
            add(fault);
            answer.complete(null);
        });
        return answer;
    }

    @Override
    public void end(String id) {
        // Else there is none here, and nobody looks into the inbox.
        if (terms.enabled) {
            inbox.put(() -> remove(id, BROKER, "its other side was ended"));
        }
    }
}
