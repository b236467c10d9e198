package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Outsider;
import io.spillway.broker.replication.Peer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for the leader, and has done with it what must be done before this node takes part: a copy of its log, or that the
 * cluster forgets this node. One node after the other is asked, again and again, for as long as it takes. Confined to the
 * cluster's thread, but for {@link #said}.
 */
final class Comeback {
    private static final Logger LOG = LoggerFactory.getLogger(Comeback.class);
    private static final int FIRST_PAUSE_MS = 100;
    private static final int LONGEST_PAUSE_MS = 2_000;

    private final String self;
    private final List<String> addresses;
    private final Outsider outsider;
    private final Function<Peer, CompletableFuture<?>> step;
    private final ScheduledExecutorService executor;
    private final Consumer<String> said;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private int next;
    private int pauseMs = FIRST_PAUSE_MS;
    private String lastFailure = "";

    /**
     * @param addresses of the other nodes
     * @param step what the leader is asked for; tried again when it fails
     * @param said told why it does not go on
     */
    Comeback(
            String self,
            List<String> addresses,
            Outsider outsider,
            Function<Peer, CompletableFuture<?>> step,
            ScheduledExecutorService executor,
            Consumer<String> said) {
        this.self = self;
        this.addresses = List.copyOf(addresses);
        this.outsider = outsider;
        this.step = step;
        this.executor = executor;
        this.said = said;
    }

    /** Ends when the step has been done; never, when no other node is known. */
    CompletableFuture<Void> begin() {
        if (addresses.isEmpty()) {
            said.accept(
                    "no other node of the cluster is known; give one as --seed, or restore the files from a backup");
        } else {
            attempt();
        }
        return done;
    }

    private void attempt() {
        String address = addresses.get(next++ % addresses.size());
        outsider.status(address)
                .thenCompose(status -> step.apply(leader(address, status)))
                .whenCompleteAsync((ignored, failure) -> attempted(address, failure), executor);
    }

    private Peer leader(String address, ClusterStatus status) {
        Peer leader = status.leader();
        if (leader == null) {
            throw new IllegalStateException("the node at " + address + " knows no leader");
        }
        if (leader.id().equals(self)) {
            throw new IllegalStateException("the node at " + address + " still takes this one for the leader");
        }
        return leader;
    }

    private void attempted(String address, @Nullable Throwable failure) {
        if (failure == null) {
            done.complete(null);
            return;
        }
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        if (!why.equals(lastFailure)) {
            lastFailure = why;
            LOG.warn("event=comeback_waits asked={} why=\"{}\" next=\"none; it asks on\"", address, why);
            said.accept(why);
        }
        executor.schedule(this::attempt, pauseMs, TimeUnit.MILLISECONDS);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
}
