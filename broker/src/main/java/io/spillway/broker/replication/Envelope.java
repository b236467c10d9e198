package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of questions and answers between nodes. Failures travel as answers: Ratis would end the stream, and with it
 * all other questions under way.
 *
 * <pre>
 *   question: | 0 | bytes for the replica |      answer: | 0 | bytes |
 *             | 1 | change, by DataOutput | who | reason |      | 1 | kind | message | has leader | leader |
 *             | 2 |    the node's status
 * </pre>
 */
final class Envelope {
    private static final ByteString FOR_REPLICA = ByteString.copyFrom(new byte[] {0});
    private static final ByteString DONE = FOR_REPLICA;
    private static final ByteString STATUS = ByteString.copyFrom(new byte[] {2});
    private static final byte CHANGE = 1;
    private static final byte FAILED = 1;

    private Envelope() {}

    static ByteString question(ByteBuffer question) {
        return FOR_REPLICA.concat(UnsafeByteOperations.unsafeWrap(question));
    }

    static ByteString question(Change change, Origin origin) {
        return bytes(out -> {
            out.writeByte(CHANGE);
            Change.write(change, out);
            out.writeUTF(origin.who());
            out.writeUTF(origin.reason());
        });
    }

    static ByteString status() {
        return STATUS;
    }

    static boolean isStatus(ByteString question) {
        return question.equals(STATUS);
    }

    static boolean isForReplica(ByteString question) {
        return question.startsWith(FOR_REPLICA);
    }

    record Asked(Change change, Origin origin) {}

    static Asked change(ByteString question) {
        try (DataInputStream in = new DataInputStream(question.newInput())) {
            byte tag = in.readByte();
            if (tag != CHANGE) {
                throw new IOException("unknown question " + tag + "; the node asking is newer");
            }
            Change change = Change.read(in);
            // An older node does not say who.
            return new Asked(change, in.available() > 0 ? new Origin(in.readUTF(), in.readUTF()) : Origin.BROKER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ByteString done(ByteBuffer answer) {
        return DONE.concat(UnsafeByteOperations.unsafeWrap(answer));
    }

    static ByteString failed(ReplicationException failure) {
        return bytes(out -> {
            out.writeByte(FAILED);
            out.writeUTF(failure.kind().name());
            out.writeUTF(String.valueOf(failure.getMessage()));
            Peer leader = failure.leader();
            out.writeBoolean(leader != null);
            if (leader != null) {
                Change.writePeer(leader, out);
            }
        });
    }

    /** @throws ReplicationException if that is what the answer says */
    static ByteBuffer open(ByteString answer) {
        if (answer.startsWith(DONE)) {
            return answer.substring(1).asReadOnlyByteBuffer();
        }
        try (DataInputStream in = new DataInputStream(answer.newInput())) {
            in.readByte();
            Kind kind = Kind.valueOf(in.readUTF());
            String message = in.readUTF();
            @Nullable Peer leader = in.readBoolean() ? Change.readPeer(in) : null;
            throw new ReplicationException(kind, message, leader, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private static ByteString bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            writing.to(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return UnsafeByteOperations.unsafeWrap(bytes.toByteArray());
    }
}
