package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.ratis.protocol.exceptions.ServerNotReadyException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The admission of a node while Ratis brings it close to the end of the log. Ratis gives up on a node that stays silent, but
 * looks only when the leader has nothing else to do (3.3.0): under load it would wait for a dead node for as long as the
 * load lasts, and every other change behind it. So only a node that answers is seated, and one that falls silent costs the
 * leadership, which ends the wait. Confined to the control thread.
 */
final class Seating {
    private static final Logger LOG = LoggerFactory.getLogger(Seating.class);
    /** 15 s, so that Ratis comes first when it looks. */
    private static final int SILENT_TICKS = 75;

    private final Questions questions;
    private final Reconfiguration reconfiguration;
    private final Executor control;
    private @Nullable Peer seated;
    private int silentTicks;
    private boolean isAsking;

    Seating(Questions questions, Reconfiguration reconfiguration, Executor control) {
        this.questions = questions;
        this.reconfiguration = reconfiguration;
        this.control = control;
    }

    /** Has the change made if the node answers. Fails with {@link Kind#REFUSED} if it does not. */
    CompletableFuture<Void> seat(Peer peer, Supplier<CompletableFuture<Void>> change) {
        return silenceTwice(peer)
                .thenComposeAsync(
                        silence -> {
                            if (!silence.isEmpty()) {
                                throw new ReplicationException(
                                        Kind.REFUSED, "the node " + peer.id() + " must run to be admitted: " + silence);
                            }
                            seated = peer;
                            silentTicks = 0;
                            return change.get().whenCompleteAsync((done, failure) -> seated = null, control);
                        },
                        control);
    }

    boolean isOf(String id) {
        return seated != null && seated.id().equals(id);
    }

    void giveUp(String why) {
        if (seated != null) {
            LOG.warn(
                    "event=admission_given_up node={} why=\"{}\" next=\"none; this node steps down, and another admits it\"",
                    seated.id(),
                    why);
            reconfiguration.stepDown().whenComplete((done, failure) -> {
                if (failure != null) {
                    LOG.warn("event=not_stepped_down why=\"{}\" next=\"none\"", failure.toString());
                }
            });
        }
    }

    /** Called five times a second. */
    void tend() {
        Peer peer = seated;
        if (peer == null) {
            return;
        }
        if (++silentTicks > SILENT_TICKS) {
            silentTicks = 0;
            giveUp("it does not answer any more");
        }
        if (isAsking) {
            return;
        }
        isAsking = true;
        silence(peer)
                .thenAcceptAsync(
                        silence -> {
                            isAsking = false;
                            if (silence.isEmpty()) {
                                silentTicks = 0;
                            }
                        },
                        control);
    }

    /** The first question to a node that was started anew may still go where nobody listens. */
    private CompletableFuture<String> silenceTwice(Peer peer) {
        return silence(peer)
                .thenCompose(first -> first.isEmpty() ? CompletableFuture.completedFuture(first) : silence(peer));
    }

    /** Why the node does not answer; empty when it does, if only that it starts: for this it needs a leader that calls. */
    private CompletableFuture<String> silence(Peer peer) {
        return questions.askStatus(peer.clusterAddress()).handle((status, failure) -> {
            Throwable cause = failure == null ? null : Failures.cause(failure);
            return cause instanceof ReplicationException known
                            && known.kind() == Kind.UNREACHABLE
                            && !(known.getCause() instanceof ServerNotReadyException)
                    ? String.valueOf(known.getMessage())
                    : "";
        });
    }
}
