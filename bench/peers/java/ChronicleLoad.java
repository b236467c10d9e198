package io.spillway.bench.peers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.bench.RawChronicle;
import io.spillway.bench.SampleBatch;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Chronicle Queue alone, in this process: what the log of Spillway could reach. Batches of 64 KiB, one document each, forced every 16 of them when
 * synced; each record by itself where latency is measured. A broker would have a network and an index besides.
 */
public final class ChronicleLoad implements Peer {
    private static final int BATCH_BYTES = 64 << 10;
    private static final int BATCHES_PER_FORCE = 16;

    private final Plan plan;
    private final RawChronicle log;

    private ChronicleLoad(Plan plan) throws Unable {
        if (plan.producers() > 1 || plan.topics() > 1 || plan.replicas() > 1 || plan.keyed() || plan.idempotent() || !plan.authority().isEmpty()) {
            throw new Unable("a queue by itself has one writer, and no more than bytes");
        }
        if (plan.synced() && plan.load().equals("latency")) {
            throw new Unable("it is forced on the writer's thread here, which an open loop cannot do");
        }
        this.plan = plan;
        log = new RawChronicle(Path.of(plan.endpoint(), "chronicle-" + plan.run()));
    }

    public static void main(String[] args) {
        Load.main("chronicle", args, ChronicleLoad::new);
    }

    @Override
    public boolean consumesAtOnce() {
        return true;
    }

    @Override
    public void create(List<String> topics) {}

    @Override
    public void remove(List<String> topics) {}

    private int recordsPerBatch() {
        return plan.load().equals("latency") ? 1 : Math.max(1, BATCH_BYTES / plan.size());
    }

    @Override
    public Publishing producer(List<String> topics, Outcomes outcomes) {
        int perBatch = recordsPerBatch();
        ByteBuf batch = SampleBatch.of(perBatch, plan.size());
        int lastValueAt = batch.readableBytes() - plan.size();
        return new Publishing() {
            private int collected;
            private int unforced;

            @Override
            public void publish(Item item) {
                if (item.dueNs != 0) {
                    batch.setLong(lastValueAt, item.dueNs);
                }
                if (++collected == perBatch) {
                    log.append(batch);
                    collected = 0;
                    unforced++;
                    if (!plan.synced() || unforced == BATCHES_PER_FORCE) {
                        acknowledge(item.dueNs);
                    }
                }
            }

            private void acknowledge(long dueNs) {
                if (plan.synced()) {
                    log.force();
                }
                if (perBatch == 1) {
                    outcomes.hear(dueNs, null);
                } else {
                    outcomes.acked(unforced * perBatch);
                }
                unforced = 0;
            }

            @Override
            public void flush() {
                while (collected > 0) {
                    publish(new Item());
                }
                if (unforced > 0) {
                    acknowledge(0);
                }
            }

            @Override
            public void close() {
                batch.release();
            }
        };
    }

    /** Reads as long as it is open; it spins when there is nothing. */
    @Override
    public Consuming consumer(String topic, String group, Consumer<ByteBuffer> show) {
        return new Reading(log, plan.size(), recordsPerBatch(), show);
    }

    private static final class Reading implements Consuming {
        private final Thread thread;
        private volatile boolean closed;

        Reading(RawChronicle log, int size, int perBatch, Consumer<ByteBuffer> show) {
            thread = new Thread(() -> run(log, size, perBatch, show));
            thread.start();
        }

        private void run(RawChronicle log, int size, int perBatch, Consumer<ByteBuffer> show) {
            ByteBuf into = PooledByteBufAllocator.DEFAULT.directBuffer();
            try (RawChronicle.Tailer tailer = log.tailer()) {
                while (!closed) {
                    if (!tailer.next(into)) {
                        Thread.onSpinWait();
                        continue;
                    }
                    ByteBuffer last = into.nioBuffer(into.writerIndex() - size, size);
                    for (int i = 0; i < perBatch; i++) {
                        show.accept(last);
                    }
                }
            } finally {
                into.release();
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() throws InterruptedException {
            closed = true;
            thread.join();
        }
    }

    @Override
    public void close() {
        log.close();
    }
}
