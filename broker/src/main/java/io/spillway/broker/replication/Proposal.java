package io.spillway.broker.replication;

import java.nio.ByteBuffer;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;

/** An entry on its way into the log. Confined to the thread that proposes; Ratis reads the content only. */
final class Proposal implements Message {
    private final ByteString content;
    private boolean isWritten;

    Proposal(ByteBuffer entry) {
        content = UnsafeByteOperations.unsafeWrap(entry);
    }

    @Override
    public ByteString getContent() {
        return content;
    }

    /** It is being written into this node's log: whatever happens now, it may commit. */
    void written() {
        isWritten = true;
    }

    boolean isWritten() {
        return isWritten;
    }

    /** What the state machine answers to a proposal. */
    record Committed(RaftPoint point) implements Message {
        @Override
        public ByteString getContent() {
            return ByteString.EMPTY;
        }
    }
}
