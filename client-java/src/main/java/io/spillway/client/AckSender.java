package io.spillway.client;

import io.spillway.client.net.Connection;
import io.spillway.client.net.Errors;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Ack;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.AckResult;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sends the settlements of one subscription, many at a time, and keeps each until the broker has confirmed it; across a
 * reconnect they go out again, and their fences tell whether they still count. Settlements come in on any thread; the
 * rest is confined to the network thread.
 */
final class AckSender implements DeliveredBatch.SettlementListener {
    private static final int FLUSH_AT_RECORDS = 256;
    private static final int MAX_BUNDLE_ITEMS = 1_000;
    private static final int MAX_BUNDLE_BYTES = 32 << 10;
    private static final int MAX_UNSENT_BUNDLES = 64;

    private final ClientContext client;
    private final SubscriptionSettings settings;
    private final ConcurrentLinkedQueue<DeliveredBatch> settled = new ConcurrentLinkedQueue<>();
    private final AtomicInteger settledRecords = new AtomicInteger();

    private final Set<DeliveredBatch> live = Collections.newSetFromMap(new IdentityHashMap<>());
    private final ArrayDeque<Bundle> unsent = new ArrayDeque<>();
    private final Set<Bundle> underWay = Collections.newSetFromMap(new IdentityHashMap<>());
    private @Nullable Connection connection;
    private int handle;
    private long notBeforeNs;

    AckSender(ClientContext client, SubscriptionSettings settings) {
        this.client = client;
        this.settings = settings;
        notBeforeNs = client.clock().nanoTime();
    }

    // ---- on any thread

    @Override
    public void onSettled(DeliveredBatch batch) {
        settled.add(batch);
    }

    @Override
    public void onRecordSettled() {
        if (settledRecords.incrementAndGet() == FLUSH_AT_RECORDS) {
            client.onNetworkThread(this::flush);
        }
    }

    /** Sends what there is, if there is something. */
    void flushSoon() {
        if (!settled.isEmpty()) {
            client.onNetworkThread(this::flush);
        }
    }

    // ---- on the network thread

    void onDelivered(DeliveredBatch batch) {
        live.add(batch);
    }

    /** Adds a settlement that no message made. */
    void add(AckItem item) {
        pack(item);
        send();
    }

    void onOpen(Connection with, int ownHandle) {
        connection = with;
        handle = ownHandle;
        flush();
    }

    void onLost() {
        connection = null;
        for (Bundle bundle : underWay) {
            unsent.addFirst(bundle);
        }
        underWay.clear();
    }

    /** Sends settlements that have waited, and forgets batches whose leases are over. */
    void tick(long nowNs) {
        if (!settled.isEmpty() || !unsent.isEmpty()) {
            flush();
        }
        live.removeIf(batch -> batch.leaseOver(nowNs));
    }

    void flush() {
        settledRecords.set(0);
        List<AckItem> items = new ArrayList<>();
        for (DeliveredBatch batch = settled.poll(); batch != null; batch = settled.poll()) {
            if (batch.collect(items)) {
                live.remove(batch);
            }
        }
        items.forEach(this::pack);
        send();
    }

    private void pack(AckItem item) {
        Bundle last = unsent.peekLast();
        if (last == null || !last.takes(item)) {
            last = new Bundle();
            unsent.add(last);
        }
        last.add(item);
        if (unsent.size() > MAX_UNSENT_BUNDLES) {
            unsent.remove()
                    .fail(SpillwayException.of(
                            Code.CONNECTION_LOST,
                            "settlements for " + settings.topic() + " were given up",
                            "too many wait for a connection: " + client.disconnectedBecause(),
                            "the records will be delivered again"));
        }
    }

    private void send() {
        Connection to = connection;
        if (to == null || client.clock().nanoTime() - notBeforeNs < 0) {
            return;
        }
        for (Bundle bundle = unsent.poll(); bundle != null; bundle = unsent.poll()) {
            underWay.add(bundle);
            bundle.sendOn(to);
        }
    }

    /** Settlements that travel in one frame. */
    private final class Bundle implements ResponseHandler {
        private final Ack.Builder frame = Ack.newBuilder().setWantResult(true);
        private final List<Outcomes> flushes = new ArrayList<>(0);
        private int bytes;
        private int failures;
        private int retryCost;
        private @Nullable Connection sentOn;

        boolean takes(AckItem item) {
            return sentOn == null
                    && frame.getItemsCount() < MAX_BUNDLE_ITEMS
                    && bytes + item.getSerializedSize() <= MAX_BUNDLE_BYTES;
        }

        void add(AckItem item) {
            frame.addItems(item);
            bytes += item.getSerializedSize();
        }

        void sendOn(Connection to) {
            sentOn = to;
            to.request(FrameKind.ACK, handle, frame.build(), this);
        }

        @Override
        public void onResponse(Frame answer) {
            if (!underWay.remove(this)) {
                return;
            }
            client.retries().onSuccess(retryCost);
            List<ItemError> errors = answer.header(AckResult.parser()).getErrorsList();
            for (ItemError refused : Errors.withTexts(errors)) {
                SpillwayException cause = SpillwayException.of(refused.getError());
                int to = Math.min(frame.getItemsCount(), refused.getIndex() + Math.max(1, refused.getCount()));
                for (int i = refused.getIndex(); i < to; i++) {
                    lost(frame.getItems(i), cause);
                }
            }
            flushes.forEach(Outcomes::arrived);
        }

        @Override
        public void onError(Error error) {
            if (sentOn == null || !sentOn.isOpen() || !underWay.remove(this)) {
                return; // onLost keeps it
            }
            failures++;
            Retries.Verdict verdict = client.retries()
                    .afterRead(error, failures, client.requestTimeout().toMillis());
            if (verdict.again()) {
                retryCost = verdict.cost();
                notBeforeNs = client.clock().nanoTime() + verdict.delayMs() * 1_000_000;
                unsent.addFirst(this);
            } else {
                fail(SpillwayException.of(verdict.error()));
            }
        }

        void fail(SpillwayException cause) {
            frame.getItemsList().forEach(item -> lost(item, cause));
            flushes.forEach(Outcomes::arrived);
        }

        void onSettledUpTo(Outcomes flush) {
            flush.expect();
            flushes.add(flush);
        }
    }

    private void lost(AckItem item, SpillwayException cause) {
        if (item.getOutcome() == DeliveredBatch.RELEASE) {
            return; // given back already, and nobody here has done anything with it
        }
        try {
            settings.onLostLeases()
                    .accept(new LostLeases(
                            settings.topic(), item.getPartition(), item.getFirst(), item.getLast(), cause));
        } catch (RuntimeException e) {
            Callbacks.threw(settings.onLostLeases(), e);
        }
    }

    /** Counts everything that was settled up to now, and has no answer yet, into the flush. */
    void collect(Outcomes flush) {
        flush();
        unsent.forEach(bundle -> bundle.onSettledUpTo(flush));
        underWay.forEach(bundle -> bundle.onSettledUpTo(flush));
    }

    /** Gives back everything that was delivered and is not settled. */
    void releaseAll() {
        live.forEach(batch -> batch.release(0));
    }

    /** Whether messages wait to be settled or settlements for their answer. */
    boolean isBusy() {
        return !live.isEmpty() || !unsent.isEmpty() || !underWay.isEmpty();
    }
}
