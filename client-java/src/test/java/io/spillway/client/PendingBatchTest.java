package io.spillway.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PendingBatchTest {
    private final List<String> outcomes = new ArrayList<>();
    private final PendingBatch batch = new PendingBatch(UnpooledByteBufAllocator.DEFAULT, 1 << 16, 0, 0, 1_000);

    private void add(int records) {
        for (int i = 0; i < records; i++) {
            int index = i;
            OutgoingRecord record = OutgoingRecord.of(("value " + i).getBytes(UTF_8));
            batch.add(
                    record,
                    0,
                    0,
                    32,
                    (ack, error) -> outcomes.add(index + " "
                            + (ack == null ? String.valueOf(error).substring(0, 8) : ack.offset() + duplicate(ack))));
        }
    }

    private static String duplicate(PublishAck ack) {
        return ack.duplicate() ? " duplicate" : "";
    }

    @Test
    void recordsHaveConsecutiveOffsets() {
        add(3);

        batch.acked(
                "orders",
                0,
                io.spillway.protocol.v1.PublishAck.newBuilder()
                        .setCount(3)
                        .setBaseOffset(40)
                        .build());

        assertThat(outcomes).containsExactly("0 40", "1 41", "2 42");
    }

    @Test
    void aDuplicateOlderThanTheWindowHasNoOffset() {
        add(2);

        batch.acked(
                "orders",
                0,
                io.spillway.protocol.v1.PublishAck.newBuilder()
                        .setCount(2)
                        .setBaseOffset(-1)
                        .setDuplicate(true)
                        .build());

        assertThat(outcomes).containsExactly("0 -1 duplicate", "1 -1 duplicate");
    }

    @Test
    void offsetsLeaveOutWhatWasNotStored() {
        add(5);

        batch.acked(
                "orders",
                0,
                io.spillway.protocol.v1.PublishAck.newBuilder()
                        .setCount(5)
                        .setBaseOffset(40)
                        .addKeyResults(KeyResult.newBuilder().setIndex(1).setOffset(7))
                        .addErrors(ItemError.newBuilder()
                                .setIndex(3)
                                .setCount(1)
                                .setError(FakeBroker.error(Code.IDEMPOTENCY_CONFLICT, 0)))
                        .build());

        assertThat(outcomes).containsExactly("0 40", "1 7 duplicate", "2 41", "3 IDEMPOTE", "4 42");
    }

    @Test
    void recordsOfADuplicateOlderThanTheWindowHaveNoOffsetButThoseWhoseKeysAreKnown() {
        add(4);

        batch.acked(
                "orders",
                0,
                io.spillway.protocol.v1.PublishAck.newBuilder()
                        .setCount(4)
                        .setBaseOffset(-1)
                        .setDuplicate(true)
                        .addKeyResults(KeyResult.newBuilder().setIndex(1).setOffset(7))
                        .build());

        assertThat(outcomes).containsExactly("0 -1 duplicate", "1 7 duplicate", "2 -1 duplicate", "3 -1 duplicate");
    }

    @Test
    void aFlushCountsItOnce() {
        add(1);
        Outcomes flush = new Outcomes();
        batch.onOutcome(flush);
        flush.complete();
        assertThat(flush.future()).isNotDone();

        batch.abandon(SpillwayException.of(Code.CLIENT_CLOSED, "a", "b", "c"));

        assertThat(flush.future()).isDone();
        assertThat(outcomes).containsExactly("0 CLIENT_C");
    }

    @Test
    void aCallbackThatThrowsDoesNotKeepTheOthersFromHearing() {
        batch.add(OutgoingRecord.of(new byte[0]), 0, 0, 16, (ack, error) -> {
            throw new IllegalStateException("the test wants it");
        });
        batch.add(OutgoingRecord.of(new byte[0]), 0, 0, 16, (ack, error) -> outcomes.add("heard"));

        batch.abandon(SpillwayException.of(Code.CLIENT_CLOSED, "a", "b", "c"));

        assertThat(outcomes).containsExactly("heard");
    }
}
