package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class FingerprintTest {
    private static final int BEFORE = 13;

    /** A follower takes a batch up from the middle of an entry that nobody may write into; a leader from the network. */
    @Test
    void itIsTheSameWhereverTheBatchLies() {
        ByteBuf batch = SteppedShard.batch(List.of(
                KeyedRecord.of("a", "one").parts(1),
                KeyedRecord.of("b", "another").parts(1)));
        byte[] entry = new byte[BEFORE + batch.readableBytes()];
        batch.getBytes(batch.readerIndex(), entry, BEFORE, batch.readableBytes());
        ByteBuf within = Unpooled.wrappedBuffer(ByteBuffer.wrap(entry).asReadOnlyBuffer());
        ByteBuf slice = within.slice(BEFORE, batch.readableBytes());
        ByteBuf moved = within.duplicate().readerIndex(BEFORE);

        assertThat(fingerprints(slice)).isEqualTo(fingerprints(batch));
        assertThat(fingerprints(moved)).isEqualTo(fingerprints(batch));
    }

    private static List<Integer> fingerprints(ByteBuf batch) {
        BatchKeys keys = new BatchKeys().read(batch);
        assertThat(keys.count()).isEqualTo(2);
        return List.of(keys.fingerprint(0), keys.fingerprint(1));
    }
}
