package io.spillway.broker.cluster;

import io.spillway.broker.base.Published;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.replication.ClusterId;
import io.spillway.broker.replication.Outsider;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftNode;
import io.spillway.broker.replication.ReplicationConfig;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How this node comes to take part with files that lack something or are damaged: it gets the leader's, or becomes a new
 * node. Confined to the cluster's thread, but for the figures, {@link #install} and {@link #ask}.
 */
final class Repairs {
    private static final Logger LOG = LoggerFactory.getLogger(Repairs.class);

    private final Standing standing;
    private final FileTransfer transfer;
    private final ScheduledExecutorService executor;
    private final Consumer<Agreed> installed;
    private final Published<Optional<Outsider>> outsider = new Published<>(Optional.empty());
    /** Why the log is being replaced, in a word or two; empty when it is not. */
    private final Published<String> damage = new Published<>("");

    private final Published<Long> repairs = new Published<>(0L);

    /** @param installed told where the agreement stands in the leader's files, once they are this node's */
    Repairs(Standing standing, FileTransfer transfer, ScheduledExecutorService executor, Consumer<Agreed> installed) {
        this.standing = standing;
        this.transfer = transfer;
        this.executor = executor;
        this.installed = installed;
    }

    boolean isReplacing() {
        return !damage.get().isEmpty();
    }

    /** How often this node came back with a new log, or as a new node, since it started. */
    long count() {
        return repairs.get();
    }

    /** Fetches the leader's files, which replace this node's. */
    CompletableFuture<Agreed> install(Peer from) {
        return transfer.install(from, damage.get()).thenApply(agreed -> {
            installed.accept(agreed);
            return agreed;
        });
    }

    /** Asks a node of the cluster, whether this one takes part or not. */
    CompletableFuture<ByteBuffer> ask(Peer of, ByteBuffer question) {
        Outsider asking = outsider.get().orElse(null);
        return asking != null ? asking.ask(of, question) : standing.node().ask(of, question);
    }

    /**
     * Has the log replaced by a copy of the leader's, which is never this node: it hands over first. Its vote and its part
     * of the cluster's log are sound, so that it goes on to vote and to confirm.
     */
    void repair(String reason, String why, long handOverMs) {
        RaftNode running = standing.node.get().orElse(null);
        if (running == null || !standing.returning.get().isEmpty()) {
            return;
        }
        LOG.error(
                "event=log_damaged why=\"{}\" next=\"it is fetched anew from the leader; the damaged files are kept in"
                        + " the directory quarantine\"",
                why);
        standing.returning.set("its log is damaged and is fetched anew: " + why);
        damage.set(reason);
        Succession.handOver(running, handOverMs);
        running.refetch()
                .thenRunAsync(
                        () -> {
                            LOG.info("event=log_replaced by=copy why=\"{}\"", why);
                            damage.set("");
                            repairs.set(repairs.get() + 1);
                            standing.returning.set("");
                        },
                        executor);
    }

    /**
     * Does what must be done before this node takes part.
     *
     * @param found what the directory allows
     * @param begin takes part in that cluster
     * @param failed told when it could not
     */
    void comeBack(
            ReplicationConfig with, Checkup found, Consumer<Optional<ClusterId>> begin, Consumer<Throwable> failed) {
        String why = found.diagnosis().why();
        standing.returning.set(why.isEmpty() ? "it waits for admission" : why);
        Outsider asking = new Outsider(with, found.cluster());
        outsider.set(Optional.of(asking));
        boolean needsCopy = found.diagnosis().start() == Diagnosis.Start.WITH_A_COPY;
        Comeback comeback = new Comeback(
                with.self().id(),
                with.otherSeeds(),
                asking,
                from -> needsCopy
                        ? copy(from, found.firstIndex())
                        : asking.forget(from, with.self().id()),
                executor,
                said -> standing.returning.set((why.isEmpty() ? "" : why + "; ") + "it waits: " + said));
        comeback.begin()
                .thenRunAsync(() -> cameBack(asking, why, begin), executor)
                .exceptionally(failure -> {
                    failed.accept(failure);
                    return null;
                });
    }

    /** What is here was put aside, or is nothing. */
    private CompletableFuture<?> copy(Peer from, long firstIndex) {
        return transfer.install(from, "").thenAccept(agreed -> {
            if (agreed.getIndex() + 1 < firstIndex) {
                throw new IllegalStateException("the copy of node " + from.id() + " ends with entry "
                        + agreed.getIndex() + ", and this node's part of the cluster's log begins with " + firstIndex);
            }
            installed.accept(agreed);
        });
    }

    private void cameBack(Outsider asking, String why, Consumer<Optional<ClusterId>> begin) {
        if (executor.isShutdown()) {
            return;
        }
        outsider.set(Optional.empty());
        asking.close();
        begin.accept(asking.cluster());
        repairs.set(repairs.get() + (why.isEmpty() ? 0 : 1));
        standing.returning.set("");
        LOG.info("event=takes_part_again why=\"{}\"", why);
    }

    /** After the executor was shut down. */
    void close() {
        outsider.get().ifPresent(Outsider::close);
    }
}
