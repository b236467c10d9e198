package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class DeliveredBatchTest {
    private int reported;
    private int records;

    private final DeliveredBatch.SettlementListener listener = new DeliveredBatch.SettlementListener() {
        @Override
        public void onSettled(DeliveredBatch batch) {
            reported++;
        }

        @Override
        public void onRecordSettled(int outcome) {
            records++;
        }
    };

    private static ByteBuf tenRecords() {
        RecordBatchWriter writer = new RecordBatchWriter(UnpooledByteBufAllocator.DEFAULT, 1 << 16);
        for (int i = 0; i < 10; i++) {
            writer.add(RecordParts.of(0, new byte[] {(byte) i}));
        }
        RecordBatchWriter.Batch batch = writer.finish(1, 0, 0);
        byte[] bytes = new byte[batch.bytes()];
        ByteBuf joined = Unpooled.wrappedBuffer(batch.head(), batch.body());
        joined.readBytes(bytes);
        joined.release();
        return Unpooled.wrappedBuffer(bytes);
    }

    private DeliveredBatch batch(Segment.Builder segment, long skipBefore) {
        return new DeliveredBatch(
                tenRecords(),
                segment.setBaseOffset(100).setFence(5).build(),
                skipBefore,
                new BrokerTime(1_000, 0),
                listener);
    }

    private static List<Integer> selected(DeliveredBatch batch) {
        return IntStream.range(0, 10).filter(batch::isSelected).boxed().toList();
    }

    private static List<String> items(DeliveredBatch batch) {
        List<AckItem> items = new ArrayList<>();
        batch.collect(items);
        return items.stream()
                .map(item -> item.getOutcome() + " " + item.getFirst() + "-" + item.getLast())
                .toList();
    }

    @Test
    void allRecordsAreSelectedWhenTheSegmentSaysNothing() {
        assertThat(selected(batch(Segment.newBuilder(), 0))).hasSize(10);
    }

    @Test
    void theBitmapSelectsAndBitsBehindTheEndMeanNothing() {
        ByteString bitmap = ByteString.copyFrom(new byte[] {0b0000_0101, (byte) 0b1111_1110});

        assertThat(selected(batch(Segment.newBuilder().setSelected(bitmap), 0))).containsExactly(0, 2, 9);
    }

    @Test
    void recordsBeforeTheReadersPlaceAreNotSelected() {
        assertThat(selected(batch(Segment.newBuilder(), 107))).containsExactly(7, 8, 9);
    }

    @Test
    void attemptsAreThoseOfTheSelectedRecords() {
        ByteString bitmap = ByteString.copyFrom(new byte[] {0b0000_0101});
        DeliveredBatch batch = batch(
                Segment.newBuilder()
                        .setSelected(bitmap)
                        .setAttempt(2)
                        .addAttempts(2)
                        .addAttempts(7),
                0);

        assertThat(batch.attempt(0)).isEqualTo(2);
        assertThat(batch.attempt(2)).isEqualTo(7);
        assertThat(batch(Segment.newBuilder().setAttempt(3), 0).attempt(9)).isEqualTo(3);
    }

    @Test
    void neighboursAreSettledTogether() {
        DeliveredBatch batch = batch(Segment.newBuilder(), 0);
        for (int index : new int[] {3, 1, 2, 7, 9, 8}) {
            batch.settle(index, DeliveredBatch.ACCEPT, 0, "");
        }

        assertThat(items(batch)).containsExactly("0 101-103", "0 107-109");
        assertThat(records).isEqualTo(6);
    }

    @Test
    void isReportedOnceUntilItIsCollected() {
        DeliveredBatch batch = batch(Segment.newBuilder(), 0);
        batch.settle(0, DeliveredBatch.ACCEPT, 0, "");
        batch.settle(1, DeliveredBatch.ACCEPT, 0, "");
        assertThat(reported).isEqualTo(1);

        assertThat(items(batch)).containsExactly("0 100-101");
        batch.settle(2, DeliveredBatch.ACCEPT, 0, "");

        assertThat(reported).isEqualTo(2);
        assertThat(items(batch)).containsExactly("0 102-102");
    }

    @Test
    void theFirstSettlementCounts() {
        DeliveredBatch batch = batch(Segment.newBuilder(), 0);
        batch.settle(0, DeliveredBatch.TERM, 0, "poison");
        batch.settle(0, DeliveredBatch.ACCEPT, 0, "");
        batch.extend(0, 1_000, 0);

        assertThat(items(batch)).containsExactly("3 100-100");
    }

    @Test
    void aRecordThatCannotBeReadIsPoisonAndAlone() {
        DeliveredBatch batch = batch(Segment.newBuilder(), 0);

        batch.poison(4, "too short");
        batch.poison(4, "too short");

        List<AckItem> items = new ArrayList<>();
        batch.collect(items);
        assertThat(items).hasSize(1);
        assertThat(items.get(0).getFirst()).isEqualTo(104);
        assertThat(items.get(0).getLast()).isEqualTo(104);
        assertThat(items.get(0).getOutcome()).isEqualTo(DeliveredBatch.TERM);
        assertThat(items.get(0).getReason()).isEqualTo(1);
        assertThat(items.get(0).getDetail()).isEqualTo("too short");
    }

    @Test
    void releaseGivesBackTheRest() {
        DeliveredBatch batch = batch(Segment.newBuilder(), 0);
        batch.settle(0, DeliveredBatch.ACCEPT, 0, "");
        batch.settle(5, DeliveredBatch.ACCEPT, 0, "");

        batch.release(3);

        assertThat(items(batch)).containsExactly("0 100-100", "0 105-105", "4 103-104", "4 106-109");
    }

    @Test
    void isCompleteWhenAllIsSettled() {
        DeliveredBatch batch = batch(Segment.newBuilder(), 0);
        for (int i = 0; i < 9; i++) {
            batch.settle(i, DeliveredBatch.ACCEPT, 0, "");
        }
        assertThat(batch.collect(new ArrayList<>())).isFalse();

        batch.settle(9, DeliveredBatch.NACK, 10, "");

        assertThat(batch.collect(new ArrayList<>())).isTrue();
    }

    @Test
    void anExtendedLeaseEndsLater() {
        DeliveredBatch batch = batch(Segment.newBuilder().setLeaseMs(1_000), 0);
        assertThat(batch.leaseOver(1_000_000_001L)).isTrue();

        batch.extend(4, 5_000, 0);

        assertThat(batch.leaseOver(1_000_000_001L)).isFalse();
        assertThat(items(batch)).containsExactly("2 104-104");
    }
}
