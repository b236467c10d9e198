package io.spillway.broker.cluster;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.chaos.Fault;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.chaos.FaultScope;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.records.InjectedFault;
import io.spillway.broker.records.InjectedFaults;
import io.spillway.broker.records.Parted;
import io.spillway.broker.records.Question;
import io.spillway.broker.records.Rehearsed;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import io.spillway.protocol.Code;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Speaks with the other nodes of injected faults. It does so over the questions that nodes ask each other, which no injected
 * partition cuts: what is to end can be ended. Thread-safe.
 */
final class Rehearsal implements Fellows {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
    private static final int ANSWER_MS = 2_000;

    private final Supplier<ClusterStatus> status;
    private final BiFunction<Peer, ByteBuffer, CompletableFuture<ByteBuffer>> ask;
    private final Clock clock;
    private final Published<Optional<Host>> host = new Published<>(Optional.empty());
    private final Published<Faults> now = new Published<>(Faults.NONE);

    Rehearsal(
            Supplier<ClusterStatus> status,
            BiFunction<Peer, ByteBuffer, CompletableFuture<ByteBuffer>> ask,
            Clock clock) {
        this.status = status;
        this.ask = ask;
        this.clock = clock;
    }

    void host(Host of) {
        host.set(Optional.of(of));
    }

    void faults(Faults injected) {
        now.set(injected);
    }

    /** Whether this node is not to hear that one. */
    boolean isCutFrom(String peer) {
        Faults injected = now.get();
        return injected != Faults.NONE && injected.cuts(peer);
    }

    private List<Peer> nodes(boolean onlyVoters) {
        return status.get().nodes().stream()
                .filter(node -> !onlyVoters || node.role() == ClusterStatus.Role.VOTER)
                .map(ClusterStatus.Node::peer)
                .toList();
    }

    @Override
    public List<String> voters() {
        return nodes(true).stream().map(Peer::id).toList();
    }

    @Override
    public List<String> others() {
        String self = status.get().self();
        return nodes(false).stream()
                .map(Peer::id)
                .filter(id -> !id.equals(self))
                .toList();
    }

    @Override
    public CompletableFuture<Map<String, List<Fault>>> faults() {
        Map<String, List<Fault>> known = new ConcurrentHashMap<>();
        String self = status.get().self();
        CompletableFuture<?>[] answers = nodes(true).stream()
                .filter(node -> !node.id().equals(self))
                .map(node -> say(node, Rehearsed.getDefaultInstance())
                        .thenAccept(told -> known.put(
                                node.id(),
                                told.getFaultsList().stream()
                                        .map(Rehearsal::read)
                                        .toList()))
                        .exceptionally(failure -> null))
                .toArray(CompletableFuture<?>[]::new);
        return CompletableFuture.allOf(answers).thenApply(done -> Map.copyOf(known));
    }

    private CompletableFuture<InjectedFaults> say(Peer to, Rehearsed what) {
        ByteBuffer question =
                ByteBuffer.wrap(Question.newBuilder().setRehearsed(what).build().toByteArray());
        return ask.apply(to, question)
                .copy()
                .orTimeout(ANSWER_MS, TimeUnit.MILLISECONDS)
                .thenApply(answer -> {
                    try {
                        return InjectedFaults.parseFrom(UnsafeByteOperations.unsafeWrap(answer));
                    } catch (InvalidProtocolBufferException e) {
                        throw new IllegalStateException("node " + to.id() + " is of another version", e);
                    }
                });
    }

    @Override
    public CompletableFuture<Void> part(String peer, Fault fault) {
        Parted side = Parted.newBuilder()
                .setId(fault.id())
                .setPeer(status.get().self())
                .setTtlMs(fault.untilMs() - fault.startedMs())
                .setWho(fault.who())
                .setReason(fault.reason())
                .build();
        return say(node(peer), Rehearsed.newBuilder().setBegin(side).build()).thenApply(told -> null);
    }

    @Override
    public void heal(String peer, String id) {
        say(node(peer), Rehearsed.newBuilder().setEnd(id).build()).whenComplete((told, failure) -> {
            if (failure != null) {
                LOG.warn(
                        "event=chaos_side_left node={} fault={} why=\"{}\" next=\"it ends there when its time is over\"",
                        peer,
                        id,
                        failure.toString());
            }
        });
    }

    private Peer node(String id) {
        return nodes(false).stream()
                .filter(node -> node.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("node " + id + " has left the cluster"));
    }

    // ---- asked by others

    CompletableFuture<ByteBuffer> answer(Rehearsed asked) {
        Host here = host.get().orElse(null);
        if (here == null) {
            return CompletableFuture.failedFuture(new IllegalStateException("the node is starting"));
        }
        if (!asked.getEnd().isEmpty()) {
            here.end(asked.getEnd());
        }
        CompletableFuture<Void> begun =
                asked.hasBegin() ? here.begin(side(asked.getBegin())) : CompletableFuture.completedFuture(null);
        return begun.thenApply(done -> {
            InjectedFaults.Builder told = InjectedFaults.newBuilder();
            here.faults().forEach(fault -> told.addFaults(write(fault)));
            return ByteBuffer.wrap(told.build().toByteArray());
        });
    }

    private Fault side(Parted of) {
        long nowMs = clock.nowMs();
        long ttlMs = Math.min(of.getTtlMs(), Fault.MOST_MS);
        FaultScope scope = new FaultScope("", "", "", List.of(of.getPeer()));
        Fault.Plan what = new Fault.Plan(FaultKind.PARTITION, scope, 100, 0, Code.OVERLOADED);
        return new Fault(of.getId(), what, of.getWho() + " at " + of.getPeer(), of.getReason(), nowMs, nowMs + ttlMs);
    }

    /** Of another node's fault what decides over majorities. */
    private static Fault read(InjectedFault told) {
        FaultKind kind = FaultKind.of(told.getKind()).orElse(FaultKind.FAILED_SYNC);
        FaultScope scope = new FaultScope("", "", "", told.getPeersList());
        return new Fault("", new Fault.Plan(kind, scope, 100, told.getDelayMs(), Code.OVERLOADED), "", "", 0, 0);
    }

    private static InjectedFault write(Fault fault) {
        return InjectedFault.newBuilder()
                .setKind(fault.kind().text())
                .addAllPeers(fault.what().scope().peers())
                .setDelayMs(fault.what().delayMs())
                .build();
    }
}
