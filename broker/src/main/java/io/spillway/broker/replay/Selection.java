package io.spillway.broker.replay;

import com.google.protobuf.ByteString;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.ReplaySelection;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Whether a record is meant by a selection. Not thread-safe. */
final class Selection {
    private static final String CAUSE = "spillway-dlq-cause";

    private final ReplaySelection wire;
    private final Set<ByteString> keys;
    private final byte[] cause;
    private final @Nullable Filter filter;
    private boolean causeFound;

    /** Throws INVALID_ARGUMENT for a filter that cannot be read. */
    Selection(ReplaySelection wire) {
        this.wire = wire;
        keys = new HashSet<>(wire.getKeysList());
        cause = wire.getDeadLetterCause().getBytes(StandardCharsets.UTF_8);
        filter = wire.getFilter().isEmpty() ? null : Filter.parse(wire.getFilter());
    }

    /** Whether the inside of a record decides. */
    boolean looksInside() {
        return !keys.isEmpty() || cause.length > 0 || !wire.getFilter().isEmpty();
    }

    /** By its place alone; {@code settled} counts on where the last call was, for offsets that rise. */
    boolean takes(ReplayCommand.Span span, long offset, SettledWalk settled) {
        return offset >= span.from()
                && offset < span.to()
                && Sample.takes(span.partition(), offset, wire.getSamplePm())
                && !settled.covers(offset);
    }

    /** By what is in it. */
    boolean takes(RecordView record, int partition, long offset, long timeMs) {
        if (!keys.isEmpty() && !(record.hasKey() && keys.contains(ByteString.copyFrom(record.key())))) {
            return false;
        }
        return (cause.length == 0 || hasCause(record))
                && (filter == null || filter.matches(record, partition, offset, timeMs));
    }

    private boolean hasCause(RecordView record) {
        causeFound = false;
        record.headers((name, buffer, at, bytes) -> causeFound |= name.equals(CAUSE)
                && bytes == cause.length
                && buffer.slice(at, bytes).equals(io.netty.buffer.Unpooled.wrappedBuffer(cause)));
        return causeFound;
    }

    /** Walks along settled ranges with offsets that rise. */
    static final class SettledWalk {
        private final long[] bounds;
        private int at;

        SettledWalk(long[] bounds) {
            this.bounds = bounds;
        }

        boolean covers(long offset) {
            while (at < bounds.length && bounds[at + 1] <= offset) {
                at += 2;
            }
            return at < bounds.length && bounds[at] <= offset;
        }
    }
}
