package io.spillway.client;

import io.spillway.client.core.AckBuffer;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
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

    private final ClientContext client;
    private final SubscriptionSettings settings;
    private final ConcurrentLinkedQueue<DeliveredBatch> settled = new ConcurrentLinkedQueue<>();
    private final AtomicInteger settledRecords = new AtomicInteger();

    private final Set<DeliveredBatch> live = Collections.newSetFromMap(new IdentityHashMap<>());
    private final AckBuffer<AckItem> buffer = new AckBuffer<>(AckBuffer.Limits.DEFAULT);
    private final Map<AckBuffer.Bundle<AckItem>, Shipment> shipments = new IdentityHashMap<>();
    private @Nullable Connection connection;
    private int handle;

    AckSender(ClientContext client, SubscriptionSettings settings) {
        this.client = client;
        this.settings = settings;
    }

    // ---- on any thread

    @Override
    public void onSettled(DeliveredBatch batch) {
        settled.add(batch);
    }

    @Override
    public void onRecordSettled(int outcome) {
        client.work().onSettled(outcome);
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
        buffer.open();
        flush();
    }

    void onLost() {
        connection = null;
        buffer.lost();
    }

    /** Sends settlements that have waited, and forgets batches whose leases are over. */
    void tick(long nowNs) {
        if (!settled.isEmpty() || buffer.unsent() > 0) {
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
        for (AckBuffer.Bundle<AckItem> oldest : buffer.add(item, item.getSerializedSize())) {
            shipment(oldest)
                    .fail(SpillwayException.of(
                            Code.CONNECTION_LOST,
                            "settlements for " + settings.topic() + " were given up",
                            "too many wait for a connection: " + client.disconnectedBecause(),
                            "the records will be delivered again"));
        }
    }

    private void send() {
        Connection to = connection;
        if (to != null) {
            buffer.take(nowMs()).forEach(bundle -> shipment(bundle).sendOn(to));
        }
    }

    private long nowMs() {
        return client.clock().nanoTime() / 1_000_000;
    }

    private Shipment shipment(AckBuffer.Bundle<AckItem> bundle) {
        return shipments.computeIfAbsent(bundle, Shipment::new);
    }

    /** One bundle on its way, from its first sending to its answer. */
    private final class Shipment implements ResponseHandler {
        private final AckBuffer.Bundle<AckItem> bundle;
        private final List<Outcomes> flushes = new ArrayList<>(0);
        private int failures;
        private int retryCost;
        private @Nullable Connection sentOn;

        Shipment(AckBuffer.Bundle<AckItem> bundle) {
            this.bundle = bundle;
        }

        void sendOn(Connection to) {
            sentOn = to;
            Ack header = Ack.newBuilder()
                    .setWantResult(true)
                    .addAllItems(bundle.items())
                    .build();
            to.request(FrameKind.ACK, handle, header, this);
        }

        @Override
        public void onResponse(Frame answer) {
            if (!buffer.answered(bundle)) {
                return;
            }
            client.retries().onSuccess(retryCost);
            List<ItemError> errors = answer.header(AckResult.parser()).getErrorsList();
            for (ItemError refused : Errors.withTexts(errors)) {
                SpillwayException cause = SpillwayException.of(refused.getError());
                int to = Math.min(bundle.items().size(), refused.getIndex() + Math.max(1, refused.getCount()));
                for (int i = refused.getIndex(); i < to; i++) {
                    lost(bundle.items().get(i), cause);
                }
            }
            done();
        }

        @Override
        public void onError(Error error) {
            if (sentOn == null || !sentOn.isOpen()) {
                return; // onLost keeps it
            }
            Retries.Verdict verdict = client.retries()
                    .afterRead(error, failures + 1, client.requestTimeout().toMillis());
            if (verdict.again() && buffer.again(bundle, nowMs() + verdict.delayMs())) {
                failures += Retries.waitsForLeader(error) ? 0 : 1;
                retryCost = verdict.cost();
            } else if (buffer.answered(bundle)) {
                fail(SpillwayException.of(verdict.error()));
            }
        }

        void fail(SpillwayException cause) {
            bundle.items().forEach(item -> lost(item, cause));
            done();
        }

        private void done() {
            shipments.remove(bundle);
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
        buffer.pending().forEach(bundle -> shipment(bundle).onSettledUpTo(flush));
    }

    /** The subscription is over: settlements without an answer will have none, and whoever made them hears so. */
    void end() {
        flush();
        SpillwayException cause = SpillwayException.of(
                Code.CONNECTION_LOST,
                "settlements for " + settings.topic() + " were not confirmed",
                client.disconnectedBecause(),
                "the records will be delivered again");
        buffer.end().forEach(bundle -> shipment(bundle).fail(cause));
    }

    /** Gives back everything that was delivered and is not settled. */
    void releaseAll() {
        live.forEach(batch -> batch.release(0));
    }

    /** Whether messages wait to be settled or settlements for their answer. */
    boolean isBusy() {
        return !live.isEmpty() || !buffer.isEmpty();
    }
}
