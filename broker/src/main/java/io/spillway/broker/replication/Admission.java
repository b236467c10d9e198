package io.spillway.broker.replication;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for admission to a cluster until this node is in it: one seed after the other, and whom a seed names as the leader.
 * Confined to the control thread, but for {@link #joined}.
 */
final class Admission {
    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);

    private final ReplicationConfig config;
    private final Group group;
    private final Questions questions;
    private final Executor control;
    private final List<String> seeds;
    private final CompletableFuture<Void> joined = new CompletableFuture<>();
    private int nextSeed;
    private @Nullable String leaderAddress;
    private @Nullable String lastFailure;
    private boolean isAsking;

    Admission(ReplicationConfig config, Group group, Questions questions, Executor control) {
        this.config = config;
        this.group = group;
        this.questions = questions;
        this.control = control;
        seeds = config.otherSeeds();
    }

    CompletableFuture<Void> joined() {
        return joined;
    }

    /** Called every now and then. */
    void tend() {
        if (joined.isDone() || isAsking) {
            return;
        }
        if (group.isMember()) {
            LOG.info("cluster_joined node={} cluster={}", config.self().id(), config.cluster());
            joined.complete(null);
        } else if (!seeds.isEmpty()) {
            ask();
        }
    }

    private void ask() {
        String address = leaderAddress != null ? leaderAddress : seeds.get(nextSeed++ % seeds.size());
        leaderAddress = null;
        isAsking = true;
        // What an earlier node of this id promised is not known here, whatever files there are.
        questions
                .ask(address, new Change.Add(config.self(), group.isLogEmpty(), false), Origin.BROKER)
                .whenCompleteAsync((done, failure) -> answered(address, failure), control);
    }

    private void answered(String address, @Nullable Throwable failure) {
        isAsking = false;
        if (failure == null) {
            leaderAddress = address;
            return;
        }
        Throwable cause = Failures.cause(failure);
        if (cause instanceof ReplicationException refusal && refusal.leader() != null) {
            leaderAddress = refusal.leader().clusterAddress();
            ask();
            return;
        }
        String said = address + ": " + cause.getMessage();
        if (!said.equals(lastFailure)) {
            LOG.warn(
                    "event=cluster_not_joined seed={} why=\"{}\" next=\"none; it asks on\"",
                    address,
                    cause.getMessage());
            lastFailure = said;
        }
    }
}
