package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Durability;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The ledger of a shard that leads in a cluster. Entries are bundled and proposed; their effect is in the shard's memory
 * at once, in its log only when the cluster has agreed, which is also when they are durable. What was proposed and never
 * agreed on is undone by forgetting the memory and opening the shard anew. Confined to the shard thread.
 */
final class AgreedLedger implements Ledger {
    /** A bundle is proposed when it has reached this size, or when nothing else is on its way. */
    private static final int BUNDLE_BYTES = 512 << 10;
    /** Bundles on their way; more wait here and grow, so that a slow cluster is sent few large ones. */
    static final int MAX_PROPOSED = 8;
    /** Bytes taken and not agreed on, from which on the shard takes no publishes. */
    private static final long FULL_BYTES = 16 << 20;

    private static final int RESERVED_BYTES = 64;

    /** Parts of one session that are proposed together. */
    private static final class Bundle {
        final long ordinal;
        final long sinceNs;
        final ByteBuf bytes = PooledByteBufAllocator.DEFAULT.buffer(16 << 10);
        /** Behind its last part. */
        long endSequence;

        Bundle(int shard, long session, long ordinal, long sinceNs) {
            this.ordinal = ordinal;
            this.sinceNs = sinceNs;
            AgreedEntry.begin(bytes, shard, session, ordinal);
        }
    }

    private final ShardState state;
    private final Syncing syncing;
    private final Consensus consensus;
    private final Clock clock;
    /** In order: what is proposed, then what waits to be. */
    private final ArrayDeque<Bundle> bundles = new ArrayDeque<>();

    private int proposed;
    private long bytes;
    private long session;
    private long nextOrdinal;
    private long nextSequence;
    private long agreedSequence;
    private long agreedNs;
    private @Nullable SpillwayException lost;

    AgreedLedger(ShardState state, Syncing syncing, Consensus consensus, Clock clock) {
        this.state = state;
        this.syncing = syncing;
        this.consensus = consensus;
        this.clock = clock;
    }

    /** Proposes to begin a session; nothing is to be appended before it is agreed on. */
    void begin(long newSession) {
        session = newSession;
        Bundle first = new Bundle(state.shard, session, 0, clock.nanoTime());
        first.endSequence = nextSequence;
        nextOrdinal = 1;
        bundles.add(first);
        bytes += first.bytes.readableBytes();
        propose(first);
    }

    @Override
    public long append(byte @Nullable [] records, int partitionId, @Nullable ByteBuf batch) {
        SpillwayException why = lost;
        if (why != null) {
            throw why;
        }
        int size = AgreedEntry.partBytes(records, batch);
        if (size > Consensus.MAX_ENTRY_BYTES - RESERVED_BYTES) {
            throw new SpillwayException(
                    Code.TOO_LARGE,
                    "an entry of " + size + " bytes is too large for the cluster",
                    "the limit is " + (Consensus.MAX_ENTRY_BYTES - RESERVED_BYTES) + " bytes",
                    "send smaller batches");
        }
        state.log.requireFits(size + RESERVED_BYTES);
        Bundle open = bundles.size() > proposed ? bundles.peekLast() : null;
        if (open == null || open.bytes.readableBytes() + size > BUNDLE_BYTES) {
            open = new Bundle(state.shard, session, nextOrdinal++, clock.nanoTime());
            bundles.add(open);
        }
        AgreedEntry.add(open.bytes, records, partitionId, batch);
        bytes += size;
        open.endSequence = ++nextSequence;
        return nextSequence - 1;
    }

    @Override
    public long appendFromReserve(int partitionId, ByteBuf batch) {
        return append(null, partitionId, batch);
    }

    /** Proposes what waits, as far as there is room on the way; how many bundles. */
    int flush() {
        int before = proposed;
        int index = 0;
        for (Bundle bundle : bundles) {
            if (proposed == MAX_PROPOSED) {
                break;
            }
            if (index++ >= before) {
                propose(bundle);
            }
        }
        return proposed - before;
    }

    private void propose(Bundle bundle) {
        proposed++;
        consensus.propose(bundle.bytes, session);
    }

    /** The bundle of this session with this ordinal, the oldest on its way, was agreed on and is in the log. */
    void agreed(long ordinal) {
        Bundle first = bundles.poll();
        if (first == null || first.ordinal != ordinal) {
            throw new IllegalStateException("session " + session + " of shard " + state.shard + " was agreed on entry "
                    + ordinal + " and waited for " + (first == null ? "none" : first.ordinal));
        }
        proposed--;
        bytes -= first.bytes.readableBytes();
        agreedSequence = first.endSequence;
        agreedNs = clock.nanoTime();
        first.bytes.release();
    }

    /** Nothing is agreed on any more that was appended here. */
    void lose(SpillwayException why) {
        lost = why;
    }

    /** Whether everything appended was agreed on. */
    boolean isQuiet() {
        return bundles.isEmpty();
    }

    /** Whether so much is on its way that publishes have to wait. */
    boolean isFull() {
        return bytes >= FULL_BYTES;
    }

    /** For how long the oldest of what was not agreed on has been here, in ms. */
    int lagMs(long nowNs) {
        Bundle oldest = bundles.peek();
        return oldest == null ? 0 : (int) Math.min(Integer.MAX_VALUE, (nowNs - oldest.sinceNs) / 1_000_000);
    }

    long session() {
        return session;
    }

    @Override
    public long lastSequence() {
        return nextSequence - 1;
    }

    @Override
    public long durableSequence() {
        return agreedSequence;
    }

    @Override
    public long durableNs() {
        return agreedNs;
    }

    @Override
    public Durability reached() {
        return consensus.reached();
    }

    @Override
    public boolean answersEarly() {
        return false;
    }

    @Override
    public @Nullable SpillwayException failure() {
        SpillwayException why = lost;
        return why == null ? syncing.failure() : why;
    }

    @Override
    public boolean copyPending(int partitionId, long offset, ByteBuf to) {
        if (offset < state.log.endOffset(partitionId)) {
            return false;
        }
        for (Bundle bundle : bundles) {
            AgreedEntry entry = new AgreedEntry(bundle.bytes);
            while (entry.next()) {
                ByteBuf batch = entry.partitionId() == partitionId ? entry.batch() : null;
                if (batch != null && holds(batch, offset)) {
                    to.writeBytes(batch, batch.readerIndex(), batch.readableBytes());
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean holds(ByteBuf batch, long offset) {
        long base = RecordBatch.baseOffset(batch, 0);
        return base <= offset && offset < base + RecordBatch.recordCount(batch, 0);
    }

    @Override
    public int doWork(long nowMs, Awaited awaited) {
        // What was agreed on survives this machine without its log, which is synced for a snapshot alone. Its syncs
        // tell how
        // the disk is on which the engine's log lies, too.
        return syncing.poll() + syncing.startIfDue(nowMs, false, true) + (lost == null ? flush() : 0);
    }

    /** Gives the memory of what is on its way back. */
    void close() {
        bundles.forEach(bundle -> bundle.bytes.release());
        bundles.clear();
    }
}
