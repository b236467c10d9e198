package io.spillway.broker.replay;

import io.spillway.protocol.v1.ReplayRange;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.LongArrayList;

/**
 * The records of a plan: half-open ranges of offsets, partition after partition, each in its order. Immutable.
 *
 * <pre>
 * encoded: per partition   varint partition | varint ranges | per range: varint gap since the last end, varint length
 * </pre>
 */
final class Ranges {
    /** The ranges of one partition: from, to, from, to, ... */
    record InPartition(int partition, long[] bounds) {
        long from() {
            return bounds[0];
        }

        long to() {
            return bounds[bounds.length - 1];
        }

        long records() {
            long records = 0;
            for (int i = 0; i < bounds.length; i += 2) {
                records += bounds[i + 1] - bounds[i];
            }
            return records;
        }

        /** What lies between the ranges: from, to, from, to, ... */
        long[] gaps() {
            return java.util.Arrays.copyOfRange(bounds, 1, bounds.length - 1);
        }
    }

    static final Ranges NONE = new Ranges(List.of());

    private final List<InPartition> partitions;

    private Ranges(List<InPartition> partitions) {
        this.partitions = partitions;
    }

    List<InPartition> partitions() {
        return partitions;
    }

    long records() {
        return partitions.stream().mapToLong(InPartition::records).sum();
    }

    /** One line for each partition. */
    List<ReplayRange> summary() {
        return partitions.stream()
                .map(in -> wire(in.partition, in.from(), in.to(), in.records()))
                .toList();
    }

    /** Every range. */
    List<ReplayRange> exact() {
        List<ReplayRange> all = new ArrayList<>();
        for (InPartition in : partitions) {
            for (int i = 0; i < in.bounds.length; i += 2) {
                all.add(wire(in.partition, in.bounds[i], in.bounds[i + 1], in.bounds[i + 1] - in.bounds[i]));
            }
        }
        return all;
    }

    private static ReplayRange wire(int partition, long from, long to, long records) {
        return ReplayRange.newBuilder()
                .setPartition(partition)
                .setFrom(from)
                .setTo(to)
                .setRecords(records)
                .build();
    }

    byte[] encode() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (InPartition in : partitions) {
            write(out, in.partition);
            write(out, in.bounds.length / 2);
            long last = 0;
            for (long bound : in.bounds) {
                write(out, bound - last);
                last = bound;
            }
        }
        return out.toByteArray();
    }

    private static void write(ByteArrayOutputStream out, long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private static int varintBytes(long value) {
        return (63 - Long.numberOfLeadingZeros(value | 1)) / 7 + 1;
    }

    static Ranges decode(byte[] encoded) {
        List<InPartition> partitions = new ArrayList<>();
        int[] at = {0};
        while (at[0] < encoded.length) {
            int partition = (int) read(encoded, at);
            long[] bounds = new long[2 * (int) read(encoded, at)];
            long last = 0;
            for (int i = 0; i < bounds.length; i++) {
                last += read(encoded, at);
                bounds[i] = last;
            }
            partitions.add(new InPartition(partition, bounds));
        }
        return new Ranges(List.copyOf(partitions));
    }

    private static long read(byte[] from, int[] at) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = from[at[0]++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    /** Collects offsets, partition after partition, each from low to high. Not thread-safe. */
    static final class Builder {
        private final List<InPartition> partitions = new ArrayList<>();
        private final LongArrayList bounds = new LongArrayList();
        private int partition = -1;
        private long bytes;

        void add(int inPartition, long offset) {
            if (inPartition != partition) {
                close();
                partition = inPartition;
            }
            int size = bounds.size();
            if (size > 0 && bounds.getLong(size - 1) == offset) {
                bounds.setLong(size - 1, offset + 1);
            } else {
                bytes += varintBytes(size == 0 ? offset : offset - bounds.getLong(size - 1)) + 1;
                bounds.addLong(offset);
                bounds.addLong(offset + 1);
            }
        }

        /** What it takes encoded, but for the lengths of ranges over 127 records. */
        long bytes() {
            return bytes;
        }

        private void close() {
            if (!bounds.isEmpty()) {
                partitions.add(new InPartition(partition, bounds.toLongArray()));
                bounds.clear();
            }
        }

        Ranges build() {
            close();
            return new Ranges(List.copyOf(partitions));
        }
    }
}
