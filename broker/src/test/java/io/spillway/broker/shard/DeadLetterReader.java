package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.log.BatchCursor;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/** Which records of a group a dead-letter topic holds, by the partition they come from. */
final class DeadLetterReader {
    private DeadLetterReader() {}

    static Map<Integer, BitSet> read(ModelShard shard, String name, String group) {
        return read(shard, name, group, "");
    }

    /** @param cause why they were given up; empty = whyever */
    static Map<Integer, BitSet> read(ModelShard shard, String name, String group, String cause) {
        Map<Integer, BitSet> found = new HashMap<>();
        TopicSpec spec = shard.state.catalog.get().find(name);
        if (spec == null) {
            return found;
        }
        BatchCursor cursor = shard.log.cursor(spec.partitionId(0));
        ByteBuf batch = Unpooled.buffer();
        for (boolean on = cursor.seek(0); on; on = cursor.next()) {
            batch.clear();
            if (cursor.copyTo(batch)) {
                RecordView view = new RecordView().wrap(batch, 0);
                while (view.next()) {
                    Map<String, String> headers = new HashMap<>();
                    view.headers((header, buffer, at, bytes) ->
                            headers.put(header, buffer.toString(at, bytes, StandardCharsets.UTF_8)));
                    int partition = Integer.parseInt(headers.getOrDefault("spillway-dlq-partition", "-1"));
                    int offset = Integer.parseInt(headers.getOrDefault("spillway-dlq-offset", "-1"));
                    boolean isMeant = cause.isEmpty() || cause.equals(headers.get("spillway-dlq-cause"));
                    if (isMeant && group.equals(headers.get("spillway-dlq-group"))) {
                        found.computeIfAbsent(partition, id -> new BitSet()).set(offset);
                    }
                }
            }
        }
        return found;
    }
}
