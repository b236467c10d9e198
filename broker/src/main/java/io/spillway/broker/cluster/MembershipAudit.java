package io.spillway.broker.cluster;

import com.google.protobuf.ByteString;
import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.Noted;
import io.spillway.broker.records.Question;
import io.spillway.broker.replication.Deed;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.broker.replication.ReplicationException.Kind;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Code;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down what operators change in the cluster. The leader does, before and after; what came of a change that cost it the
 * leadership goes to the next leader, who writes it. Thread-safe.
 */
final class MembershipAudit {
    private static final Logger LOG = LoggerFactory.getLogger(MembershipAudit.class);
    private static final int AGAIN_MS = 200;
    /** For five minutes: the leader may have to be elected, or a way to it to come back. */
    private static final int TRIES = 1_500;

    private final Audit audit;
    private final Standing standing;
    private final BiFunction<Peer, ByteBuffer, CompletableFuture<ByteBuffer>> ask;
    private final ScheduledExecutorService executor;

    MembershipAudit(
            Audit audit,
            Standing standing,
            BiFunction<Peer, ByteBuffer, CompletableFuture<ByteBuffer>> ask,
            ScheduledExecutorService executor) {
        this.audit = audit;
        this.standing = standing;
        this.ask = ask;
        this.executor = executor;
        audit.elsewhere(entry -> {
            executor.execute(() -> passOn(entry, TRIES));
            return true;
        });
        audit.leader(entry -> byLeader(noted(entry)));
    }

    CompletableFuture<Void> around(Deed deed, Supplier<CompletableFuture<Void>> act) {
        AuditEntry entry = new AuditEntry(
                deed.origin().who(),
                "cluster." + deed.operation(),
                "",
                "",
                deed.origin().reason(),
                Map.of("node", deed.node(), "from", deed.from(), "to", deed.to()));
        CompletableFuture<Void> done = new CompletableFuture<>();
        Reply<Boolean> reply = new Reply<>() {
            @Override
            public void ok(Boolean ignored) {
                done.complete(null);
            }

            @Override
            public void failed(SpillwayException why) {
                if (why.getCause() instanceof ReplicationException known) {
                    done.completeExceptionally(known);
                } else if (deed.operation().equals("transfer")) {
                    // A node that cannot write should not lead: it is let go, and the next leader writes it down.
                    unwritten(entry, act, done);
                } else {
                    done.completeExceptionally(new ReplicationException(Kind.BUSY, why.what() + ": " + why.why()));
                }
            }
        };
        audit.around(entry, audited -> perform(act, audited), reply, ok -> "done");
        return done;
    }

    private static void perform(Supplier<CompletableFuture<Void>> act, Reply<Boolean> audited) {
        act.get().whenComplete((ok, failure) -> {
            if (failure == null) {
                audited.ok(true);
            } else {
                audited.failed(told(failure));
            }
        });
    }

    private void unwritten(AuditEntry entry, Supplier<CompletableFuture<Void>> act, CompletableFuture<Void> done) {
        act.get().whenComplete((ok, failure) -> {
            if (failure == null) {
                audit.note(entry, AuditEntry.Phase.DONE, "done; that it was asked for could not be written");
                done.complete(null);
            } else {
                audit.note(entry, AuditEntry.Phase.FAILED, told(failure).toString());
                done.completeExceptionally(failure);
            }
        });
    }

    /** The exception itself stays the cause. */
    private static SpillwayException told(Throwable failure) {
        Throwable cause =
                failure.getCause() != null && !(failure instanceof ReplicationException) ? failure.getCause() : failure;
        ReplicationException known = cause instanceof ReplicationException itself
                ? itself
                : new ReplicationException(Kind.REFUSED, String.valueOf(cause));
        return new SpillwayException(
                known.kind() == Kind.REFUSED ? Code.WRONG_STATE : Code.OUTCOME_UNKNOWN,
                "the cluster is not changed",
                String.valueOf(known.getMessage()),
                "see spillway cluster status",
                0,
                known);
    }

    /** An entry of another node. */
    CompletableFuture<ByteBuffer> write(Noted noted) {
        CompletableFuture<ByteBuffer> written = new CompletableFuture<>();
        audit.append(noted.getEntry().toByteArray(), new Reply<>() {
            @Override
            public void ok(Boolean done) {
                written.complete(ByteBuffer.allocate(0));
            }

            @Override
            public void failed(SpillwayException why) {
                written.completeExceptionally(why);
            }
        });
        return written;
    }

    private static Noted noted(byte[] entry) {
        return Noted.newBuilder().setEntry(ByteString.copyFrom(entry)).build();
    }

    private CompletableFuture<ByteBuffer> byLeader(Noted noted) {
        if (standing.serves.get()) {
            return write(noted);
        }
        Peer leader = standing.leader.get().orElse(null);
        return leader == null
                ? CompletableFuture.failedFuture(new IllegalStateException("no leader is known"))
                : ask.apply(
                        leader,
                        ByteBuffer.wrap(
                                Question.newBuilder().setNoted(noted).build().toByteArray()));
    }

    private void passOn(byte[] entry, int triesLeft) {
        byLeader(noted(entry)).whenComplete((done, failure) -> {
            if (failure == null) {
                return;
            }
            if (triesLeft > 1) {
                executor.schedule(() -> passOn(entry, triesLeft - 1), AGAIN_MS, TimeUnit.MILLISECONDS);
            } else {
                LOG.error(
                        "event=audit_incomplete entry={} why=\"{}\" next=\"keep this line: the audit topic lacks it\"",
                        new String(entry, StandardCharsets.UTF_8),
                        failure.toString());
            }
        });
    }
}
