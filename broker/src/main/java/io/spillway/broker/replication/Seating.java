package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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
    /** Ratis comes first when it looks. */
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(15);

    private final Questions questions;
    private final Reconfiguration reconfiguration;
    private final Executor control;
    private @Nullable Peer seated;
    private long heardNs;
    private boolean isAsking;

    Seating(Questions questions, Reconfiguration reconfiguration, Executor control) {
        this.questions = questions;
        this.reconfiguration = reconfiguration;
        this.control = control;
    }

    /** Has the change made if the node answers. Fails with {@link Kind#REFUSED} if it does not. */
    CompletableFuture<Void> seat(Peer peer, Supplier<CompletableFuture<Void>> change) {
        return answersAgain(peer)
                .thenComposeAsync(
                        isThere -> {
                            if (!isThere) {
                                throw new ReplicationException(
                                        Kind.REFUSED,
                                        "the node " + peer.id() + " does not answer at " + peer.clusterAddress()
                                                + "; start it first");
                            }
                            seated = peer;
                            heardNs = System.nanoTime();
                            return change.get().whenCompleteAsync((done, failure) -> seated = null, control);
                        },
                        control);
    }

    boolean isOf(String id) {
        return seated != null && seated.id().equals(id);
    }

    void giveUp(String why) {
        if (seated != null) {
            LOG.warn("event=admission_given_up node={} why=\"{}\" action=stepping_down", seated.id(), why);
            reconfiguration.stepDown().whenComplete((done, failure) -> {
                if (failure != null) {
                    LOG.warn("event=not_stepped_down cause={}", failure.toString());
                }
            });
        }
    }

    /** Called every now and then. */
    void tend() {
        Peer peer = seated;
        if (peer == null || isAsking) {
            return;
        }
        if (System.nanoTime() - heardNs > SILENCE_NS) {
            heardNs = System.nanoTime();
            giveUp("it does not answer any more");
            return;
        }
        isAsking = true;
        answers(peer)
                .thenAcceptAsync(
                        isThere -> {
                            isAsking = false;
                            if (isThere) {
                                heardNs = System.nanoTime();
                            }
                        },
                        control);
    }

    /** The first question to a node that was started anew may still go where nobody listens. */
    private CompletableFuture<Boolean> answersAgain(Peer peer) {
        return answers(peer).thenCompose(isThere -> isThere ? CompletableFuture.completedFuture(true) : answers(peer));
    }

    /** Whatever it says: only silence counts. */
    private CompletableFuture<Boolean> answers(Peer peer) {
        return questions
                .askStatus(peer.clusterAddress())
                .handle((status, failure) -> failure == null
                        || !(Failures.cause(failure) instanceof ReplicationException known
                                && known.kind() == Kind.UNREACHABLE));
    }
}
