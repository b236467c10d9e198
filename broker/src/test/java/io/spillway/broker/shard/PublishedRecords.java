package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordBatchWriter;
import io.spillway.protocol.RecordParts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** What was published, partition by partition: the truth that deliveries are compared with. */
final class PublishedRecords {
    private static final String[] COLOURS = {"red", "green", "blue"};

    /** @param key 0 = none */
    record Sent(int key, int keyHash, String colour, long deliverAtMs, long expiresAtMs) {}

    private final List<List<Sent>> partitions = new ArrayList<>();
    private final RandomGenerator random;
    /** Few, so that many records wait for their turn, or so many that hardly any does. */
    private final int keys;

    private final RecordBatchWriter writer = new RecordBatchWriter(new UnpooledByteBufAllocator(true, true), 1 << 20);

    PublishedRecords(RandomGenerator random, int partitions) {
        this.random = random;
        keys = random.nextBoolean() ? 40 : 1_000;
        for (int i = 0; i < partitions; i++) {
            this.partitions.add(new ArrayList<>());
        }
    }

    List<Sent> of(int partition) {
        return partitions.get(partition);
    }

    Sent at(int partition, long offset) {
        return of(partition).get((int) offset);
    }

    /** A batch of some records, as a producer makes it; they count as published. */
    ByteBuf batch(int partition, long nowMs) {
        int records = random.nextInt(3) > 0 ? 1 + random.nextInt(6) : 1 + random.nextInt(90);
        boolean timed = random.nextInt(3) == 0;
        for (int i = 0; i < records; i++) {
            Sent sent = record(timed, nowMs);
            of(partition).add(sent);
            byte[] key = sent.key == 0 ? null : key(sent.key);
            writer.add(new RecordParts(
                    nowMs,
                    key,
                    sent.keyHash,
                    List.of(Map.entry("colour", sent.colour.getBytes(StandardCharsets.UTF_8))),
                    new byte[random.nextInt(20)],
                    null,
                    null,
                    sent.deliverAtMs,
                    sent.expiresAtMs));
        }
        RecordBatchWriter.Batch parts = writer.finish(0, 0, 0);
        ByteBuf batch = UnpooledByteBufAllocator.DEFAULT.buffer(parts.bytes());
        batch.writeBytes(parts.head()).writeBytes(parts.body());
        parts.release();
        return batch;
    }

    private Sent record(boolean timed, long nowMs) {
        // One key is much hotter than the others.
        int key = random.nextInt(5) == 0 ? 0 : random.nextInt(4) == 0 ? 1 : 1 + random.nextInt(keys);
        long deliverAtMs = timed && random.nextInt(4) == 0 ? nowMs + random.nextInt(3_000) : -1;
        long expiresAtMs = timed && random.nextInt(4) == 0 ? nowMs + random.nextInt(5_000) : -1;
        return new Sent(
                key,
                key == 0 ? 0 : KeyHash.of(key(key)),
                COLOURS[random.nextInt(COLOURS.length)],
                deliverAtMs,
                expiresAtMs);
    }

    private static byte[] key(int key) {
        return ("key-" + key).getBytes(StandardCharsets.UTF_8);
    }

    /** The log ends here, because a power cut took the rest. */
    void truncate(int partition, long end) {
        List<Sent> sent = of(partition);
        while (sent.size() > end) {
            sent.remove(sent.size() - 1);
        }
    }

    String colour() {
        return COLOURS[random.nextInt(COLOURS.length)];
    }
}
