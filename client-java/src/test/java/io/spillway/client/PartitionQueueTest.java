package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.client.PartitionQueue.Offer;
import io.spillway.client.net.Clock;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PartitionQueueTest {
    private static final SpillwayException CLOSED = SpillwayException.of(Code.CLIENT_CLOSED, "a", "b", "c");
    private static final PublishCallback NOBODY = (ack, error) -> {};

    private long nowMs = 1_000;
    private final Clock clock = new Clock() {
        @Override
        public long nowMs() {
            return nowMs;
        }

        @Override
        public long nanoTime() {
            return nowMs * 1_000_000;
        }
    };
    private int sealed;
    private final PartitionQueue queue =
            new PartitionQueue(UnpooledByteBufAllocator.DEFAULT, 1_024, clock, () -> sealed++);

    @AfterEach
    void release() {
        queue.takeAll().forEach(batch -> batch.abandon(CLOSED));
    }

    private Offer offer(int bytes, long timeoutMs) {
        return queue.offer(OutgoingRecord.of(new byte[bytes]), 0, bytes + 16, timeoutMs, NOBODY);
    }

    private static int count(@Nullable PendingBatch batch) {
        int count = Objects.requireNonNull(batch).count();
        batch.abandon(CLOSED);
        return count;
    }

    @Test
    void wakesTheNetworkThreadOnceUntilItHasLooked() {
        assertThat(offer(10, 30_000)).isEqualTo(Offer.TAKEN_WAKE);
        assertThat(offer(10, 30_000)).isEqualTo(Offer.TAKEN);
        assertThat(offer(1_000, 30_000)).isEqualTo(Offer.TAKEN);

        queue.onLooked();

        assertThat(offer(10, 30_000)).isEqualTo(Offer.TAKEN_WAKE);
    }

    @Test
    void sealsABatchThatIsFull() {
        offer(500, 30_000);
        offer(300, 30_000);
        offer(500, 30_000);

        assertThat(sealed).isEqualTo(1);
        assertThat(count(queue.take(false))).isEqualTo(2);
        assertThat(queue.take(false)).isNull();
        assertThat(count(queue.take(true))).isEqualTo(1);
    }

    @Test
    void recordsWithDeadlinesFarApartDoNotShareABatch() {
        offer(10, 30_000);
        offer(10, 100);
        nowMs += 5_000;
        offer(10, 30_000);
        nowMs += 900;
        offer(10, 30_000);

        assertThat(List.of(count(queue.take(true)), count(queue.take(true)), count(queue.take(true))))
                .containsExactly(1, 1, 2);
    }

    @Test
    void givesOutWhatIsExpired() {
        offer(10, 100);
        offer(10, 30_000);
        nowMs += 200;

        List<PendingBatch> expired = queue.takeExpired(clock.nanoTime());

        assertThat(expired).hasSize(1);
        assertThat(count(expired.get(0))).isEqualTo(1);
        assertThat(queue.isEmpty()).isFalse();
    }

    @Test
    void takesNothingAfterItsEnd() {
        offer(10, 30_000);

        queue.close(CLOSED);

        assertThat(offer(10, 30_000)).isEqualTo(Offer.CLOSED);
        assertThat(queue.closedBy()).isSameAs(CLOSED);
        assertThat(queue.isEmpty()).isFalse();
    }
}
