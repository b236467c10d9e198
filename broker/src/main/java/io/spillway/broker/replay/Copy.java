package io.spillway.broker.replay;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.Code;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The record that a replay publishes for one of its plan: key, headers, value, time, trace and tombstone flag as they were,
 * headers that say where it comes from, and an idempotency key made of its place alone, so that no run adds it twice. Times to deliver
 * and to expire are left out: a replay is the wish to have the record now.
 *
 * @param topic where it goes
 */
record Copy(TopicSpec topic, int partition, RecordParts record) {
    static final String HEADER = "spillway-replay-";
    private static final String DEAD_LETTER_HEADER = "spillway-dlq-";
    private static final String FIRST_ATTEMPT = "spillway-first-attempt";
    /** What the count of headers in a record can say. */
    private static final int MOST_HEADERS = 255;

    /** Makes the copies of one job. */
    static final class Maker {
        private final JobRecord job;
        private final TopicSpec source;
        private final boolean toOrigin;
        private @Nullable String origin;
        private int originPartition;

        Maker(JobRecord job, TopicSpec source, boolean toOrigin) {
            this.job = job;
            this.source = source;
            this.toOrigin = toOrigin;
        }

        /** Throws when the record cannot be copied, whatever is tried. */
        Copy of(RecordView record, int partition, long offset, TopicCatalog catalog) {
            byte[] key = record.key();
            byte[] dedupId =
                    ("replay:" + source.topicId() + ":" + partition + ":" + offset).getBytes(StandardCharsets.UTF_8);
            List<Map.Entry<String, byte[]>> headers = headers(record);
            headers.add(header("id", job.id()));
            headers.add(header("topic", source.name()));
            headers.add(header("partition", Integer.toString(partition)));
            headers.add(header("offset", Long.toString(offset)));
            if (headers.size() > MOST_HEADERS) {
                throw new SpillwayException(
                        Code.TOO_LARGE, "a record has " + headers.size() + " headers", "with those of the replay", "");
            }
            RecordParts parts = new RecordParts(
                    record.timestampMs(),
                    key,
                    key == null ? 0 : KeyHash.of(key),
                    headers,
                    record.value(),
                    dedupId,
                    record.trace(),
                    -1,
                    -1,
                    record.isTombstone());
            TopicSpec target = toOrigin
                    ? origin(catalog)
                    : catalog.get(job.wire.getTarget().getName());
            int index = toOrigin ? originPartition : index(key == null ? dedupId : key, target.partitions());
            return new Copy(target, index, parts);
        }

        private static int index(byte[] key, int partitions) {
            return (int) ((KeyHash.of(key) & 0xffffffffL) * partitions >>> 32);
        }

        /** The headers that are kept; on the way it is seen where a dead letter comes from. */
        private List<Map.Entry<String, byte[]>> headers(RecordView record) {
            List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
            origin = null;
            originPartition = -1;
            record.headers((name, from, at, bytes) -> {
                byte[] value = new byte[bytes];
                from.getBytes(at, value);
                if (toOrigin && name.startsWith(DEAD_LETTER_HEADER)) {
                    see(name.substring(DEAD_LETTER_HEADER.length()), new String(value, StandardCharsets.UTF_8));
                } else if (!name.startsWith(HEADER) && !name.equals(FIRST_ATTEMPT)) {
                    headers.add(Map.entry(name, value));
                }
            });
            return headers;
        }

        private void see(String name, String value) {
            if (name.equals("topic")) {
                origin = value;
            } else if (name.equals("partition") && value.matches("\\d{1,9}")) {
                originPartition = Integer.parseInt(value);
            }
        }

        private TopicSpec origin(TopicCatalog catalog) {
            TopicSpec topic = origin == null ? null : catalog.find(origin);
            if (topic == null || originPartition < 0 || originPartition >= topic.partitions()) {
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "a record has no way back",
                        origin == null
                                ? "it has no header spillway-dlq-topic: it is no dead letter"
                                : "there is no " + origin + "/" + originPartition + " any more",
                        "copy it to a topic instead");
            }
            return topic;
        }

        private static Map.Entry<String, byte[]> header(String name, String value) {
            return Map.entry(HEADER + name, value.getBytes(StandardCharsets.UTF_8));
        }
    }
}
