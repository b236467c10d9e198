package io.spillway.broker.replication;

import io.spillway.broker.base.Published;
import io.spillway.broker.replication.ReplicationException.Kind;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;

/** Answers what other nodes ask: the replica's matters by the replica, the cluster's by its members. Thread-safe. */
final class Answers {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Replica replica;
    private final Published<Optional<Members>> members = new Published<>(Optional.empty());

    Answers(Replica replica) {
        this.replica = replica;
    }

    void open(Members newMembers) {
        members.set(Optional.of(newMembers));
    }

    CompletableFuture<Message> answer(Message question) {
        return ask(question.getContent())
                .handle((answer, failure) -> Message.valueOf(answer == null ? failed(failure) : Envelope.done(answer)));
    }

    private CompletableFuture<ByteBuffer> ask(ByteString question) {
        try {
            if (Envelope.isForReplica(question)) {
                return replica.answer(question.substring(1).asReadOnlyByteBuffer())
                        .thenApply(Answers::checked);
            }
            Members now =
                    members.get().orElseThrow(() -> new ReplicationException(Kind.NOT_LEADER, "the node is starting"));
            if (Envelope.isStatus(question)) {
                return CompletableFuture.completedFuture(StatusBytes.write(now.status()));
            }
            Envelope.Asked asked = Envelope.change(question);
            return now.change(asked.change(), asked.origin()).thenApply(done -> NOTHING);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static ByteBuffer checked(ByteBuffer answer) {
        if (answer.remaining() > RaftNode.MAX_ANSWER_BYTES) {
            throw new ReplicationException(
                    Kind.TOO_LARGE,
                    "an answer of " + answer.remaining() + " bytes; " + RaftNode.MAX_ANSWER_BYTES + " fit");
        }
        return answer;
    }

    private static ByteString failed(Throwable failure) {
        Throwable cause = Failures.cause(failure);
        return Envelope.failed(
                cause instanceof ReplicationException known
                        ? known
                        : new ReplicationException(Kind.REFUSED, "the node could not answer: " + cause));
    }
}
