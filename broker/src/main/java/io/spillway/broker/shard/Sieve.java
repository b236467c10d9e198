package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.subscription.Selection;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Sorts records of one batch, one by one: those to be delivered now, those that wait for their time, those whose time is
 * over, and those the group does not want. A record whose parts cannot be told apart is delivered: the consumer has to
 * say what becomes of it. Reused from batch to batch. Confined to the shard thread.
 */
final class Sieve {
    /** Offsets as from, to, from, to, ... */
    final LongArrayList unwanted = new LongArrayList();

    final LongArrayList expired = new LongArrayList();
    /** As from, to, when, from, to, when, ... */
    final LongArrayList scheduled = new LongArrayList();

    private final RecordView view = new RecordView();

    /**
     * Takes out of the candidates what is not to be delivered now. Stops when {@code max} records are left and takes out
     * the rest; returns the index up to which records were looked at.
     */
    int sift(
            ByteBuf buffer,
            int at,
            Selection candidates,
            int max,
            @Nullable Filter filter,
            Group.Place place,
            long nowMs) {
        unwanted.clear();
        expired.clear();
        scheduled.clear();
        long baseOffset = candidates.baseOffset();
        long appendTimeMs = RecordBatch.appendTimeMs(buffer, at);
        int last = candidates.count() == 0 ? 0 : (int) (candidates.to() - baseOffset);
        int kept = 0;
        view.wrap(buffer, at);
        for (int i = 0; i < last; i++) {
            boolean isReadable = readNext();
            if (!candidates.has(i)) {
                continue;
            }
            if (kept == max) {
                for (int rest = i; rest < last; rest = candidates.next(rest)) {
                    candidates.remove(rest);
                }
                return i;
            }
            long offset = baseOffset + i;
            if (!isReadable) {
                kept++;
            } else if (filter != null && !filter.matches(view, place.partition.index, offset, appendTimeMs)) {
                candidates.remove(i);
                add(unwanted, offset);
            } else if (view.expiresAtMs() >= 0 && view.expiresAtMs() <= nowMs) {
                candidates.remove(i);
                add(expired, offset);
            } else if (view.deliverAtMs() > nowMs) {
                candidates.remove(i);
                schedule(offset, view.deliverAtMs());
            } else {
                kept++;
            }
        }
        return last;
    }

    /** Selects the records of a batch that a filter does not want. */
    void findUnwanted(ByteBuf buffer, Filter filter, int partition, Selection found) {
        long appendTimeMs = RecordBatch.appendTimeMs(buffer, 0);
        view.wrap(buffer, 0);
        for (int i = 0; i < found.records(); i++) {
            if (readNext() && !filter.matches(view, partition, found.baseOffset() + i, appendTimeMs)) {
                found.add(i);
            }
        }
    }

    /** Takes out of the selected records of a batch those that a filter does not want. */
    void keepWanted(ByteBuf buffer, int at, Filter filter, int partition, Selection selected) {
        long appendTimeMs = RecordBatch.appendTimeMs(buffer, at);
        view.wrap(buffer, at);
        for (int i = 0; i < selected.records(); i++) {
            if (readNext()
                    && selected.has(i)
                    && !filter.matches(view, partition, selected.baseOffset() + i, appendTimeMs)) {
                selected.remove(i);
            }
        }
    }

    private boolean readNext() {
        try {
            return view.next();
        } catch (ProtocolException e) {
            return false;
        }
    }

    private static void add(LongArrayList ranges, long offset) {
        int size = ranges.size();
        if (size > 0 && ranges.getLong(size - 1) == offset) {
            ranges.setLong(size - 1, offset + 1);
        } else {
            ranges.addLong(offset);
            ranges.addLong(offset + 1);
        }
    }

    private void schedule(long offset, long whenMs) {
        int size = scheduled.size();
        if (size > 0 && scheduled.getLong(size - 2) == offset && scheduled.getLong(size - 1) == whenMs) {
            scheduled.setLong(size - 2, offset + 1);
        } else {
            scheduled.addLong(offset);
            scheduled.addLong(offset + 1);
            scheduled.addLong(whenMs);
        }
    }
}
