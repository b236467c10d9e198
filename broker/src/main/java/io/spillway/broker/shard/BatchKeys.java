package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.protocol.RecordView;
import java.util.Arrays;

/**
 * The idempotency keys of one batch: where they are, their hashes, and the fingerprints of what came under them. Its arrays
 * are used from batch to batch. Confined to the shard thread.
 */
final class BatchKeys {
    private static final int FIRST_CAPACITY = 64;

    private final RecordView view = new RecordView();
    private final Fingerprint fingerprint = new Fingerprint();
    private int count;
    private long[] hashes = new long[FIRST_CAPACITY];
    private int[] fingerprints = new int[FIRST_CAPACITY];
    private int[] indexes = new int[FIRST_CAPACITY];
    private int[] at = new int[FIRST_CAPACITY];
    private int[] bytes = new int[FIRST_CAPACITY];
    private int[] headersAt = new int[FIRST_CAPACITY];
    private int[] headers = new int[FIRST_CAPACITY];

    BatchKeys read(ByteBuf batch) {
        count = 0;
        view.wrap(batch, batch.readerIndex());
        fingerprint.wrap(batch);
        while (view.next()) {
            if (view.hasDedupId()) {
                add(batch);
            }
        }
        fingerprint.unwrap();
        return this;
    }

    private void add(ByteBuf batch) {
        if (count == hashes.length) {
            grow(2 * count);
        }
        hashes[count] = KeyWindow.hash(batch, view.dedupAt(), view.dedupBytes());
        fingerprints[count] = fingerprint.of(view);
        indexes[count] = view.index();
        at[count] = view.dedupAt();
        bytes[count] = view.dedupBytes();
        headersAt[count] = view.headersAt();
        headers[count] = view.headerCount();
        count++;
    }

    private void grow(int capacity) {
        hashes = Arrays.copyOf(hashes, capacity);
        fingerprints = Arrays.copyOf(fingerprints, capacity);
        indexes = Arrays.copyOf(indexes, capacity);
        at = Arrays.copyOf(at, capacity);
        bytes = Arrays.copyOf(bytes, capacity);
        headersAt = Arrays.copyOf(headersAt, capacity);
        headers = Arrays.copyOf(headers, capacity);
    }

    /** How many records carry a key. */
    int count() {
        return count;
    }

    /** The first {@link #count} are those of the batch. */
    long[] hashes() {
        return hashes;
    }

    long hash(int i) {
        return hashes[i];
    }

    int fingerprint(int i) {
        return fingerprints[i];
    }

    /** The position of the record in its batch. */
    int index(int i) {
        return indexes[i];
    }

    int at(int i) {
        return at[i];
    }

    int bytes(int i) {
        return bytes[i];
    }

    /** Where the record's headers begin. */
    int headersAt(int i) {
        return headersAt[i];
    }

    int headers(int i) {
        return headers[i];
    }
}
