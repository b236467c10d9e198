package io.spillway.client;

import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where a reader without a group is in each partition: behind the last record that was queued, which is where it goes on
 * over another connection. Confined to the network thread.
 */
final class ReaderPlaces {
    private final IntObjectMap<Long> nextOffsets = new IntObjectHashMap<>();

    ReaderPlaces(Map<Integer, Long> startOffsets) {
        startOffsets.forEach((partition, offset) -> nextOffsets.put(partition.intValue(), offset));
    }

    /** Those the broker is to begin at. */
    List<Start> starts() {
        List<Start> starts = new ArrayList<>();
        for (IntObjectMap.PrimitiveEntry<Long> next : nextOffsets.entries()) {
            starts.add(Start.newBuilder()
                    .setKind(StartPosition.OFFSET)
                    .setPartition(next.key())
                    .setOffset(next.value())
                    .build());
        }
        return starts;
    }

    /** Moves behind a batch that ends there; the reader has had its records before the answer. */
    long pass(int partition, long end) {
        Long next = nextOffsets.get(partition);
        long from = next == null ? 0 : next;
        nextOffsets.put(partition, Long.valueOf(Math.max(from, end)));
        return from;
    }
}
