package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.PublishAck;
import io.spillway.client.PublishCallback;
import io.spillway.client.SpillwayException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Counts the outcomes of generated records. Thread-safe. */
final class Tally implements PublishCallback {
    private final Map<String, Integer> failed = new TreeMap<>();
    private final Map<Integer, long[]> offsets = new TreeMap<>();
    private long outcomes;
    private long acked;
    private long duplicates;

    @Override
    public synchronized void onOutcome(@Nullable PublishAck ack, @Nullable SpillwayException error) {
        if (error != null) {
            failed.merge(error.reason(), 1, Integer::sum);
        }
        if (ack != null) {
            acked++;
            duplicates += ack.duplicate() ? 1 : 0;
            long[] range = offsets.computeIfAbsent(ack.partition(), p -> new long[] {ack.offset(), ack.offset()});
            range[0] = Math.min(range[0], ack.offset());
            range[1] = Math.max(range[1], ack.offset());
        }
        outcomes++;
        notifyAll();
    }

    /** Waits until that many records have their outcome. */
    synchronized ObjectNode await(long count) throws InterruptedException {
        while (outcomes < count) {
            wait();
        }
        ObjectNode answer = Wire.object().put("acked", acked).put("duplicates", duplicates);
        ObjectNode reasons = answer.putObject("failed");
        failed.forEach(reasons::put);
        ObjectNode ranges = answer.putObject("offsets");
        offsets.forEach((partition, range) -> {
            ArrayNode pair = ranges.putArray(partition.toString());
            pair.add(range[0]).add(range[1]);
        });
        return answer;
    }
}
