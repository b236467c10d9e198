package io.spillway.broker.shard;

import io.spillway.broker.filter.Filter;
import io.spillway.broker.log.BatchCursor;
import io.spillway.broker.subscription.Selection;
import io.spillway.protocol.v1.Segment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivery to stream readers: each goes on where it is, through every record as it lies in the log. With a filter the
 * others are not selected, and batches without a wanted record are passed over. Confined to the shard thread.
 */
final class ReaderDelivery {
    private static final Logger LOG = LoggerFactory.getLogger(ReaderDelivery.class);

    private final ShardCounters counters;
    private final Selection selection = new Selection();
    private final Sieve sieve = new Sieve();

    ReaderDelivery(ShardCounters counters) {
        this.counters = counters;
    }

    /** Sends a reader one frame; false when there was nothing to do. */
    boolean deliver(StreamReader reader, DeliverFrame frame, long nowMs) {
        int idlePlaces = 0;
        int places = reader.places.size();
        while (idlePlaces < places && reader.credit.canTake() && !frame.isFull()) {
            StreamReader.Place place = reader.places.get(reader.nextPlace);
            if (hasNext(place)) {
                add(reader, place, frame, nowMs);
                idlePlaces = 0;
            } else {
                reader.advance();
                idlePlaces++;
            }
        }
        reader.advance();
        return frame.send(reader.port) || frame.hasLooked();
    }

    private static boolean hasNext(StreamReader.Place place) {
        if (place.cursor.halted()
                || place.nextOffset >= place.partition.visibleEnd
                || !place.cursor.seek(place.nextOffset)) {
            return false;
        }
        place.nextOffset = Math.max(place.nextOffset, place.cursor.baseOffset());
        return place.nextOffset < place.partition.visibleEnd;
    }

    private void add(StreamReader reader, StreamReader.Place place, DeliverFrame frame, long nowMs) {
        BatchCursor cursor = place.cursor;
        if (frame.copy(cursor, place.partition)) {
            select(reader, place, frame);
            if (selection.count() == 0) {
                frame.drop();
            } else {
                send(reader, place, frame, nowMs);
            }
        } else if (!cursor.halted()) {
            counters.corruptBatches.increment();
            LOG.error(
                    "event=records_unreadable topic={} from={} to={} why=\"corrupt on disk\" next=\"spillway log verify\"",
                    place.partition,
                    place.nextOffset,
                    cursor.endOffset());
        }
        if (!cursor.halted()) {
            place.nextOffset = cursor.endOffset();
        }
    }

    private void select(StreamReader reader, StreamReader.Place place, DeliverFrame frame) {
        BatchCursor cursor = place.cursor;
        selection.reset(cursor.baseOffset(), cursor.recordCount());
        selection.add((int) (place.nextOffset - cursor.baseOffset()), cursor.recordCount());
        Filter filter = reader.filter;
        if (filter != null) {
            sieve.keepWanted(frame.buffer(), frame.batchAt(), filter, place.partition.index, selection);
            frame.looked(cursor.recordCount());
        }
    }

    private void send(StreamReader reader, StreamReader.Place place, DeliverFrame frame, long nowMs) {
        int bytes = frame.batchBytes();
        frame.add(
                Segment.newBuilder()
                        .setPartition(place.partition.index)
                        .setBaseOffset(selection.baseOffset())
                        .setBytes(bytes)
                        .setAttempt(1),
                selection);
        if (Batches.isTimed(frame.buffer(), frame.batchAt())) {
            frame.timed(nowMs);
        }
        reader.credit.delivered(0, bytes);
        counters.deliveredBatches.increment();
        counters.deliveredRecords.add(selection.count());
        counters.deliveredBytes.add(bytes);
    }
}
