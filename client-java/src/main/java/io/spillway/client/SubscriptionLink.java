package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.client.net.Connection;
import io.spillway.client.net.HandleListener;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.CreditGrant;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Handoff;
import io.spillway.protocol.v1.Segment;
import io.spillway.protocol.v1.Subscribe;
import io.spillway.protocol.v1.SubscribeOk;
import io.spillway.protocol.v1.Unsubscribe;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The network side of a subscription: subscribes, and again after each reconnect, hands what is delivered to its
 * {@link DeliveryIntake}, and grants credit as it is consumed. Confined to the network thread.
 */
final class SubscriptionLink implements HandleListener {
    private static final int ROLE_ACTIVE = 0;

    /** A subscription that lasts this long begins its count of failures anew when it ends. */
    private static final long STABLE_NS = 30_000_000_000L;

    private static final int MAX_CORRUPT_DELIVERIES = 3;

    private enum State {
        /** No handle; opened when there is a connection. */
        CLOSED,
        OPENING,
        ACTIVE,
        ENDED
    }

    private final ClientContext client;
    private final SubscriptionSettings settings;
    private final DeliveryQueue queue;
    private final AckSender acks;
    private final CompletableFuture<List<Integer>> opened = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final ReaderPlaces places;
    private final SubscriptionCredit credit;
    private final DeliveryIntake intake;

    private State state = State.CLOSED;
    private @Nullable Connection connection;
    private int handle;
    private int failures;
    private long activeSinceNs;
    private volatile String obstacle = "no answer from the broker";
    private volatile boolean active;
    private boolean draining;
    /** Completes when a drain has nothing left to wait for. */
    private @Nullable CompletableFuture<Void> drained;

    /** The broker is to be left: what it still delivers goes back. */
    private boolean leaving;

    private long notBeforeNs;
    private long corruptOffset = -1;
    private int corruptDeliveries;

    SubscriptionLink(
            ClientContext client,
            SubscriptionSettings settings,
            Map<Integer, Long> startOffsets,
            DeliveryQueue queue,
            AckSender acks) {
        this.client = client;
        this.settings = settings;
        this.queue = queue;
        this.acks = acks;
        places = new ReaderPlaces(startOffsets);
        credit = new SubscriptionCredit(settings.creditBytes(), queue);
        intake = new DeliveryIntake(client, settings, places, queue, acks);
        notBeforeNs = client.clock().nanoTime();
    }

    /** The partitions, when it is open for the first time. */
    CompletableFuture<List<Integer>> opened() {
        return opened;
    }

    /** Why it is not open. From any thread. */
    String obstacle() {
        return obstacle;
    }

    CompletableFuture<Void> ended() {
        return ended;
    }

    // ---- opening

    void open() {
        Connection ready = client.consuming();
        if (state != State.CLOSED || ready == null || client.clock().nanoTime() - notBeforeNs < 0) {
            return;
        }
        state = State.OPENING;
        connection = ready;
        handle = ready.openHandle(this);
        credit.begin();
        Subscribe.Builder header = settings.request().setCredit(credit.grant()).addAllStarts(places.starts());
        ready.request(FrameKind.SUBSCRIBE, handle, header.build(), new Opening(ready));
    }

    private final class Opening implements ResponseHandler {
        private final Connection asked;

        Opening(Connection asked) {
            this.asked = asked;
        }

        @Override
        public void onResponse(Frame frame) {
            if (state == State.OPENING && connection == asked) {
                state = State.ACTIVE;
                activeSinceNs = client.clock().nanoTime();
                acks.onOpen(asked, handle);
                if (draining || client.isBraked()) {
                    pause();
                }
                SubscribeOk ok = frame.header(SubscribeOk.parser());
                active(ok.getRole() == ROLE_ACTIVE);
                opened.complete(List.copyOf(ok.getPartitionsList()));
            }
        }

        @Override
        public void onError(Error error) {
            if (state == State.OPENING && connection == asked && asked.isOpen()) {
                onEnded(error);
            }
        }
    }

    @Override
    public void onEnded(Error why) {
        if (state == State.ACTIVE && client.clock().nanoTime() - activeSinceNs > STABLE_NS) {
            failures = 0;
        }
        leaveHandle();
        failures += Retries.waitsForLeader(why) ? 0 : 1;
        obstacle = SpillwayException.of(why).toString();
        Retries.Verdict verdict = client.retries().afterSubscribe(why, failures);
        if (verdict.again() && !draining) {
            notBeforeNs = client.clock().nanoTime() + verdict.delayMs() * 1_000_000;
        } else {
            end(SpillwayException.of(verdict.error()));
        }
    }

    private void leaveHandle() {
        if (connection != null && connection.isOpen()) {
            connection.closeHandle(handle);
        }
        onLost();
    }

    void onLost() {
        active(false);
        discard();
        acks.onLost();
        connection = null;
        leaving = false;
        if (state != State.ENDED) {
            state = State.CLOSED;
        }
    }

    /** The connection soon will be over: what a group's members have not begun is better handled elsewhere. */
    void onDraining() {
        if (!settings.isStream()) {
            leaving = true;
            pause();
            discard();
        }
    }

    private void discard() {
        if (!settings.isStream()) {
            queue.discard();
        }
    }

    /** It goes on over another connection. */
    void onMoved() {
        unsubscribe();
        leaveHandle();
        onReady();
    }

    /** Whether messages are being handled, or settlements are under way, that can still be settled where it is. */
    boolean isBusy() {
        return connection != null && acks.isBusy();
    }

    void onReady() {
        notBeforeNs = client.clock().nanoTime();
        open();
    }

    void tick(long nowNs) {
        open();
        acks.tick(nowNs);
        tellDrained();
    }

    // ---- which member is active

    /** Whether the broker delivers to it. From any thread. */
    boolean isActive() {
        return active;
    }

    @Override
    public void onHandoff(Handoff change) {
        if (settings.standby() || settings.terms().mode() == GroupMode.EXCLUSIVE) {
            active(change.getGained());
        }
    }

    private void active(boolean now) {
        if (active != now) {
            active = now;
            try {
                settings.onActive().accept(now);
            } catch (RuntimeException e) {
                Callbacks.threw(settings.onActive(), e);
            }
        }
    }

    // ---- deliveries

    @Override
    public void onDeliver(Frame frame) {
        Deliver header = frame.header(Deliver.parser());
        ByteBuf payload = frame.payload();
        BrokerTime received = new BrokerTime(
                header.getUnixMs() == 0 ? client.clock().nowMs() : header.getUnixMs(),
                client.clock().nanoTime());
        for (Segment segment : header.getSegmentsList()) {
            int bytes = segment.getBytes();
            if (bytes < RecordBatch.HEADER_BYTES || bytes > payload.readableBytes()) {
                throw new ProtocolException(
                        Code.MALFORMED_FRAME,
                        "a delivery says a batch has " + bytes + " bytes, " + payload.readableBytes() + " are left");
            }
            credit.onReceived(bytes);
            byte[] copy = new byte[bytes];
            payload.readBytes(copy);
            ProtocolException damage =
                    intake.take(segment, Unpooled.wrappedBuffer(copy), received, draining || leaving);
            if (damage != null) {
                onDamaged(segment, damage);
                return;
            }
        }
        grantCredit();
    }

    /** A reader asks again, a few times. */
    private void onDamaged(Segment segment, ProtocolException cause) {
        corruptDeliveries = corruptOffset == segment.getBaseOffset() ? corruptDeliveries + 1 : 1;
        corruptOffset = segment.getBaseOffset();
        unsubscribe();
        leaveHandle();
        if (corruptDeliveries < MAX_CORRUPT_DELIVERIES) {
            notBeforeNs = client.clock().nanoTime() + DeliveryIntake.CORRUPT_DELAY_MS * 1_000_000L;
        } else {
            end(SpillwayException.of(
                    Code.CHECKSUM_MISMATCH,
                    "the batch at offset " + corruptOffset + " of " + settings.topic() + "/" + segment.getPartition()
                            + " arrives damaged",
                    cause.getMessage() + ", " + corruptDeliveries + " times in a row",
                    "run spillway log verify on the broker's data; to go on, start behind the batch"));
        }
    }

    /** Tells the broker how much more it may send, when that is due. */
    void grantCredit() {
        Connection to = connection;
        if (state == State.ACTIVE && to != null && !draining && !leaving && !client.isBraked() && credit.isDue()) {
            to.send(
                    FrameKind.CREDIT_GRANT,
                    handle,
                    CreditGrant.newBuilder().setCredit(credit.grant()).build());
        }
    }

    @Override
    public void onBackpressure(Backpressure signal) {
        // a consumer is slowed down by what is not delivered to it
    }

    // ---- the end

    /** Takes no more and gives back what nobody has begun; {@code done} completes when all that was begun is settled. */
    void startDrain(CompletableFuture<Void> done) {
        draining = true;
        pause();
        discard();
        acks.flush();
        drained = done;
        tellDrained();
    }

    private void tellDrained() {
        if (drained != null && (isEnded() || !acks.isBusy())) {
            drained.complete(null);
        }
    }

    /** Takes no more, gives back what is not settled; completes when the broker has answered all settlements. */
    CompletableFuture<Void> settle() {
        draining = true;
        pause();
        acks.releaseAll();
        Outcomes settled = new Outcomes();
        acks.collect(settled);
        settled.complete();
        return settled.future();
    }

    boolean isDraining() {
        return draining;
    }

    /** The client has no memory for more, or has it again. */
    void onBrake() {
        if (draining || leaving || state != State.ACTIVE || connection == null) {
            return;
        }
        if (client.isBraked()) {
            pause();
        } else {
            connection.send(
                    FrameKind.CREDIT_GRANT,
                    handle,
                    CreditGrant.newBuilder().setCredit(credit.grant()).build());
        }
    }

    private void pause() {
        if (state == State.ACTIVE && connection != null) {
            connection.send(
                    FrameKind.CREDIT_GRANT,
                    handle,
                    CreditGrant.newBuilder()
                            .setCredit(credit.granted())
                            .setPaused(true)
                            .build());
        }
    }

    /**
     * Leaves the group or ends the reading; completes when the broker has answered, at once when there is no connection. What is only
     * being opened is given back, too, and one that was refused is no mistake to give back.
     */
    CompletableFuture<Void> unsubscribe() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        if ((state != State.ACTIVE && state != State.OPENING) || connection == null) {
            done.complete(null);
            return done;
        }
        connection.request(FrameKind.UNSUBSCRIBE, handle, Unsubscribe.getDefaultInstance(), new ResponseHandler() {
            @Override
            public void onResponse(Frame frame) {
                done.complete(null);
            }

            @Override
            public void onError(Error error) {
                done.complete(null); // there is nothing left that could be unsubscribed
            }
        });
        return done;
    }

    SpillwayException closedError() {
        return SpillwayException.of(Code.CLIENT_CLOSED, settings + " is closed", "close was called", "open a new one");
    }

    /** Over, by the user's wish. */
    void close(SpillwayException closed) {
        if (state != State.ENDED) {
            leaveHandle();
            state = State.ENDED;
            acks.end();
            opened.completeExceptionally(closed);
            queue.end(closed);
            ended.complete(null);
            tellDrained();
        }
    }

    /** Nobody waits any more for it to be open. */
    void giveUp(SpillwayException cause) {
        unsubscribe();
        end(cause);
    }

    /** Over, because it cannot go on. */
    void end(SpillwayException cause) {
        if (state != State.ENDED) {
            leaveHandle();
            state = State.ENDED;
            acks.end();
            // Only its client's end drains what is not open yet, and gives it back; the broker may say just that.
            opened.completeExceptionally(draining ? closedError() : cause);
            ended.completeExceptionally(cause);
            queue.end(cause);
            tellDrained();
        }
    }

    boolean isEnded() {
        return state == State.ENDED;
    }
}
