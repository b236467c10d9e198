package io.spillway.broker;

import io.spillway.broker.admin.Health;
import io.spillway.broker.canary.Canary;
import io.spillway.broker.cluster.ClusterMember;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.NodeFacts;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.flow.Situation;
import io.spillway.broker.log.WriteState;
import io.spillway.broker.session.PressureMonitor;
import io.spillway.broker.session.SessionContext;
import io.spillway.broker.shard.Shard;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How this broker is: for probes, for who asks what is wrong, and for its step of degradation. Thread-safe. */
final class NodeHealth {
    /** What {@link #health} can find. */
    static final List<Cause> TROUBLES = List.of(
            Cause.SHARD_FAILED,
            Cause.STORAGE_FAILED,
            Cause.READ_ONLY,
            Cause.RESERVE,
            Cause.DRAINING,
            Cause.NO_LEADER,
            Cause.NO_QUORUM,
            Cause.RETURNING,
            Cause.LEFT_CLUSTER,
            Cause.NODE_BEHIND);

    private final String node;
    private final List<Shard> shards;
    private final @Nullable ClusterMember cluster;
    private final SessionContext context;
    private final PressureMonitor pressure;
    private final Canary canary;

    NodeHealth(
            String node,
            List<Shard> shards,
            @Nullable ClusterMember cluster,
            SessionContext context,
            PressureMonitor pressure,
            Canary canary) {
        this.node = node;
        this.shards = shards;
        this.cluster = cluster;
        this.context = context;
        this.pressure = pressure;
        this.canary = canary;
    }

    /** What decides the step of degradation. */
    Situation situation() {
        String readOnly = "";
        String reserve = "";
        for (Shard shard : shards) {
            WriteState state = shard.writeState();
            readOnly = state.writable() ? readOnly : state.why();
            reserve = state.delivers() ? reserve : state.why();
        }
        String quorumLost = ofCluster().map(Health.Cause::what).orElse("");
        PressureSignal worst = pressure.worst();
        return new Situation(worst, quorumLost, readOnly, reserve, context.isDraining() ? "it was asked to stop" : "");
    }

    private Optional<Health.Cause> ofCluster() {
        ClusterMember member = cluster;
        return member == null
                ? Optional.empty()
                : ClusterHealth.cause(member.view(), node, member.isStalled(), member.returning(), member.behind());
    }

    /** Liveness and readiness with causes. */
    Health health() {
        List<Health.Cause> causes = new ArrayList<>();
        boolean live = true;
        boolean ready = true;
        for (int i = 0; i < shards.size(); i++) {
            Shard shard = shards.get(i);
            String name = "shard-" + i;
            if (!shard.failure().isEmpty()) {
                live = false;
                ready = false;
                causes.add(new Health.Cause(
                        name, Cause.SHARD_FAILED, "the shard has stopped", shard.failure(), "restart the broker"));
            } else if (!shard.writeState().writable()) {
                ready = false;
                causes.add(unwritable(name, shard.writeState()));
            }
        }
        Optional<Health.Cause> ofCluster = ofCluster();
        ready &= ofCluster.isEmpty();
        ofCluster.ifPresent(causes::add);
        if (context.isDraining()) {
            ready = false;
            causes.add(new Health.Cause(
                    "broker", Cause.DRAINING, "the broker is going away", "it was asked to stop", "use another"));
        }
        return new Health(live, ready, causes);
    }

    boolean has(Cause cause) {
        return health().causes().stream().anyMatch(each -> each.name() == cause);
    }

    static Health.Cause unwritable(String shard, WriteState state) {
        return switch (state.mode()) {
            case FAILED ->
                new Health.Cause(
                        shard,
                        Cause.STORAGE_FAILED,
                        "nothing can be published",
                        state.why(),
                        "check the disk, then restart the broker; it verifies the log");
            case RESERVE ->
                new Health.Cause(
                        shard,
                        Cause.RESERVE,
                        "nothing can be published or delivered",
                        state.why(),
                        "free disk space at once: nothing that settles can be stored");
            case READ_ONLY, WRITABLE ->
                new Health.Cause(
                        shard,
                        Cause.READ_ONLY,
                        "nothing can be published",
                        state.why(),
                        "free disk space; consuming goes on");
        };
    }

    /** All that is of interest to who asks what is wrong. */
    NodeFacts facts() {
        ClusterView view = context.cluster();
        boolean follows = !view.leads() && view.leader() != null;
        return new NodeFacts(
                node,
                follows && view.leader() != null ? view.leader().id() : "",
                follows && view.leader() != null ? view.leader().clientAddress() : "",
                health().causes().stream()
                        .map(cause ->
                                new NodeFacts.Trouble(cause.name(), cause.component(), cause.why(), cause.nextStep()))
                        .toList(),
                cluster == null ? List.of() : cluster.quarantine(),
                context.toggleSettings().expired(),
                pressure.measured(),
                context.debts(),
                context.toggleSettings().shedClassMin().orElse(Surroundings.NO_CLASS),
                context.faults().list(),
                canary.stale());
    }
}
