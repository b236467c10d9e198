package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.broker.tracing.Step;
import io.spillway.broker.tracing.TracedRecord;
import io.spillway.broker.tracing.TracedStep;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class TracedLeasesTest {
    private static final byte SAMPLED = 1;

    private final TracedLeases leases = new TracedLeases();

    private static ByteBuf batch(byte @Nullable [] trace) {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 20);
        writer.add(new RecordParts(0, null, 0, List.of(), new byte[1], null, trace, -1, -1));
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf whole = Unpooled.wrappedBuffer(parts.head(), parts.body());
        byte[] bytes = ByteBufUtil.getBytes(whole);
        whole.release();
        return Unpooled.wrappedBuffer(bytes);
    }

    private static byte[] trace(byte flags) {
        byte[] trace = new byte[RecordView.TRACE_BYTES];
        trace[20] = 1;
        trace[25] = flags;
        return trace;
    }

    private static List<TracedStep> deliveries(long from, long to) {
        RecordView view = new RecordView().wrap(batch(trace(SAMPLED)), 0);
        view.next();
        TracedRecord record = Objects.requireNonNull(TracedRecord.of(view));
        Step step = new Step.Delivered("g", 1, "m", 0, "");
        List<TracedStep> all = new ArrayList<>();
        for (long offset = from; offset < to; offset++) {
            all.add(new TracedStep(record, "t", 0, offset, 0, 0, step));
        }
        return all;
    }

    private static List<Long> offsets(List<TracedStep> steps) {
        return steps.stream().map(TracedStep::offset).toList();
    }

    @Test
    void givesWhatIsSettledOnce() {
        leases.put(7, deliveries(10, 14));

        assertThat(offsets(leases.take(7, 11, 13))).containsExactly(11L, 12L);
        assertThat(leases.take(7, 11, 13)).isEmpty();
        assertThat(leases.take(8, 10, 14)).as("of another lease").isEmpty();
        assertThat(offsets(leases.take(7, 0, 100))).containsExactly(10L, 13L);
        assertThat(leases.isEmpty()).isTrue();
    }

    @Test
    void forgetsTheOldestOfTooMany() {
        leases.put(1, deliveries(0, 2));
        leases.put(2, deliveries(0, TracedLeases.MOST_RECORDS - 1));

        assertThat(leases.take(1, 0, 2)).isEmpty();
        assertThat(leases.take(2, 0, TracedLeases.MOST_RECORDS)).hasSize(TracedLeases.MOST_RECORDS - 1);
        assertThat(leases.isEmpty()).isTrue();
    }

    @Test
    void onlyBatchesWithASampledRecordAreMarked() {
        for (byte[] trace : new byte[][] {trace(SAMPLED), trace((byte) 0), null}) {
            ByteBuf batch = batch(trace);
            Batches.admit(batch, 0);
            assertThat(Batches.isTraced(batch, 0)).isEqualTo(trace != null && trace[25] == SAMPLED);
        }
    }

    @Test
    void aRecordThatIsTooShortForItsTraceIsNotLookedInto() {
        ByteBuf batch = batch(null);
        batch.setByte(RecordBatch.bodyStart(batch, 0) + 4, RecordView.HAS_TRACE);

        Batches.admit(batch, 0);

        assertThat(Batches.isTraced(batch, 0)).isFalse();
    }
}
