package io.spillway.broker.replication;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the replica bring its files up from the leader when the log does not reach back far enough.
 *
 * <p>Ratis asks again at once, without a pause, when told of a failure. It is therefore told of success only; failures are
 * repeated here, more slowly each time, with whoever leads by then.
 */
final class Installation {
    private static final Logger LOG = LoggerFactory.getLogger(Installation.class);
    private static final int FIRST_PAUSE_MS = 100;
    private static final int LONGEST_PAUSE_MS = 5_000;
    /** How long to wait for what is handed over to become durable, which is cheaper than to fetch it. */
    private static final int SYNC_PATIENCE_MS = 10_000;

    private final Replica replica;
    private final Handover handover;
    private final ScheduledExecutorService control;
    private final Supplier<@Nullable Peer> leader;

    Installation(
            Replica replica, Handover handover, ScheduledExecutorService control, Supplier<@Nullable Peer> leader) {
        this.replica = replica;
        this.handover = handover;
        this.control = control;
        this.leader = leader;
    }

    /**
     * @param notifier the leader when this was asked for
     * @param firstAvailable the first index the leader's log still has
     * @return the point reached, not before the one ahead of {@code firstAvailable}; null = the log has all from its
     *     beginning
     */
    CompletableFuture<@Nullable RaftPoint> begin(Peer notifier, long firstAvailable) {
        if (firstAvailable <= 0) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<@Nullable RaftPoint> reached = new CompletableFuture<>();
        control.execute(() -> settle(notifier, firstAvailable, 0, reached));
        return reached;
    }

    /** A leader also asks for this that merely does not know how far this node is; then there is nothing to fetch. */
    private void settle(
            Peer notifier, long firstAvailable, int waitedMs, CompletableFuture<@Nullable RaftPoint> reached) {
        RaftPoint durable = replica.durable();
        if (durable.index() + 1 >= firstAvailable) {
            reached.complete(durable);
        } else if (handover.lastIndex() + 1 >= firstAvailable && waitedMs < SYNC_PATIENCE_MS) {
            control.schedule(
                    () -> settle(notifier, firstAvailable, waitedMs + FIRST_PAUSE_MS, reached),
                    FIRST_PAUSE_MS,
                    TimeUnit.MILLISECONDS);
        } else {
            LOG.info("install_begins leader={} first_available={} durable={}", notifier.id(), firstAvailable, durable);
            handover.pause().thenRunAsync(() -> attempt(notifier, firstAvailable, FIRST_PAUSE_MS, reached), control);
        }
    }

    /**
     * Replaces the replica's files though the log has all: they are damaged. Nothing that was handed over is handed over
     * again, so that the copy must have it.
     */
    CompletableFuture<@Nullable RaftPoint> refetch() {
        CompletableFuture<@Nullable RaftPoint> reached = new CompletableFuture<>();
        handover.pause().thenRunAsync(() -> attempt(null, handover.lastIndex() + 1, FIRST_PAUSE_MS, reached), control);
        return reached;
    }

    private void attempt(
            @Nullable Peer notifier, long firstAvailable, int pauseMs, CompletableFuture<@Nullable RaftPoint> reached) {
        Peer now = leader.get();
        Peer from = now == null ? notifier : now;
        CompletableFuture<RaftPoint> installed;
        try {
            installed = from == null
                    ? CompletableFuture.failedFuture(new IllegalStateException("no leader is known"))
                    : replica.install(from);
        } catch (RuntimeException e) {
            installed = CompletableFuture.failedFuture(e);
        }
        installed.whenCompleteAsync(
                (point, failure) -> {
                    if (failure == null && point.index() + 1 >= firstAvailable) {
                        LOG.info("install_done point={}", point);
                        handover.resumeAfter(point);
                        reached.complete(point);
                        return;
                    }
                    LOG.warn(
                            "event=install_failed reached={} first_available={} retry_ms={} why=\"{}\" next=\"none; it is tried again\"",
                            point,
                            firstAvailable,
                            pauseMs,
                            String.valueOf(failure));
                    int next = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
                    control.schedule(
                            () -> attempt(notifier, firstAvailable, next, reached), pauseMs, TimeUnit.MILLISECONDS);
                },
                control);
    }
}
