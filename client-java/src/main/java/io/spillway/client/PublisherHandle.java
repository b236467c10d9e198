package io.spillway.client;

import io.netty.buffer.ByteBuf;
import io.spillway.client.net.Connection;
import io.spillway.client.net.Errors;
import io.spillway.client.net.HandleListener;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.ClosePublisher;
import io.spillway.protocol.v1.Credit;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.OpenPublisherOk;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.Publish;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The right to publish to one partition: opened on a connection, lost with it, opened again; who the producer is, what
 * credit it has, how long it must wait. Confined to the network thread, but for {@link #mayTake} and what {@link KnownPressure}
 * allows.
 */
final class PublisherHandle implements HandleListener {
    /** The broker remembers 64 batches of a producer; half of them may be under way. */
    private static final int MAX_IN_FLIGHT = 32;

    private enum State {
        /** Opened when it is wanted and there is a connection. */
        CLOSED,
        OPENING,
        OPEN,
        /** For good. */
        ENDED
    }

    /** Hears what becomes of the handle. */
    interface Owner {
        /** Open. What the broker expects next is comparable only in an epoch that goes on. */
        void onOpened(boolean epochGoesOn, long expectedSequence);

        /** Something can go on. */
        void onProgress();

        /** The broker ended the handle; what is under way on it has no outcome. */
        void onHandleEnded();

        /** Cannot be opened; it is tried again when there is new work. */
        void onOpenFailed(SpillwayException cause);

        /** A newer instance of the producer has taken over. */
        void onFenced(SpillwayException cause);
    }

    private final ProducerContext context;
    private final int partition;
    private final Owner owner;
    private State state = State.CLOSED;
    private @Nullable Connection connection;
    private int number;
    private PublishCredit credit = new PublishCredit(true);
    private int maxInFlight = MAX_IN_FLIGHT;
    private long producerId;
    private int epoch;
    /** Whether the next opening gives the producer's name, which makes the broker raise the epoch. */
    private boolean byName = true;

    private boolean wanted;
    private int failures;
    private volatile long notBeforeNs;
    private @Nullable Error lastRefusal;
    private final KnownPressure pressure;
    /** For other threads: a batch would not wait for credit. */
    private volatile boolean takes = true;

    PublisherHandle(ProducerContext context, int partition, Owner owner) {
        this.context = context;
        this.partition = partition;
        this.owner = owner;
        notBeforeNs = context.clock().nanoTime();
        pressure = new KnownPressure(context.topic() + "/" + partition, context.clock(), context::onPressure);
    }

    /** What the broker says of this partition. */
    KnownPressure pressure() {
        return pressure;
    }

    /** Whether a batch could be sent now, as far as this partition goes. From any thread. */
    boolean mayTake() {
        return takes && isDue();
    }

    private void look() {
        boolean now = state == State.OPEN ? credit.admits(1) : state != State.ENDED;
        if (now != takes) {
            takes = now;
        }
    }

    long producerId() {
        return producerId;
    }

    int epoch() {
        return epoch;
    }

    int maxInFlight() {
        return maxInFlight;
    }

    PublishCredit credit() {
        return credit;
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    /** Whether it should be open, work or not. */
    boolean isMissed() {
        return wanted && state == State.CLOSED;
    }

    /** Whether there is a connection whose answers count. */
    boolean isConnected() {
        return connection != null && connection.isOpen();
    }

    boolean isDue() {
        return context.clock().nanoTime() - notBeforeNs >= 0;
    }

    void waitMs(long ms) {
        notBeforeNs = context.clock().nanoTime() + ms * 1_000_000;
    }

    /** Keep it open from now on, whether or not there is work. */
    void want() {
        wanted = true;
    }

    void open() {
        Connection ready = context.flow().connection();
        if (state != State.CLOSED || ready == null || !isDue()) {
            return;
        }
        state = State.OPENING;
        connection = ready;
        number = ready.openHandle(this);
        if (producerId == 0) {
            producerId = context.producerId();
        }
        OpenPublisher header = OpenPublisher.newBuilder()
                .setTopic(context.topic())
                .setPartition(partition)
                .setProducerName(byName ? context.settings().name() : "")
                .setProducerId(producerId)
                .setProducerEpoch(epoch)
                .setDurability(context.settings().durability().wire())
                .setAllowDegraded(context.settings().allowDegraded())
                .build();
        ready.request(FrameKind.OPEN_PUBLISHER, number, header, new Opening(ready));
    }

    private final class Opening implements ResponseHandler {
        private final Connection asked;

        Opening(Connection asked) {
            this.asked = asked;
        }

        @Override
        public void onResponse(Frame frame) {
            if (state == State.OPENING && connection == asked) {
                onOpened(frame.header(OpenPublisherOk.parser()));
            }
        }

        @Override
        public void onError(Error error) {
            if (state == State.OPENING && connection == asked && asked.isOpen()) {
                onRefused(error);
            }
        }
    }

    private void onOpened(OpenPublisherOk ok) {
        state = State.OPEN;
        wanted = true;
        failures = 0;
        byName = false;
        producerId = ok.getProducerId();
        boolean epochGoesOn = ok.getProducerEpoch() == epoch;
        epoch = ok.getProducerEpoch();
        credit = new PublishCredit(ok.hasCredit());
        credit.grant(ok.getCredit());
        pressure.connected(PressureState.P_NORMAL);
        look();
        int allowed = ok.getMaxInflightBatches();
        maxInFlight = allowed == 0 ? MAX_IN_FLIGHT : Math.min(MAX_IN_FLIGHT, allowed);
        context.onOpened(producerId);
        owner.onOpened(epochGoesOn, ok.getHasLast() ? ok.getLastSequence() + 1 : 0);
    }

    private void onRefused(Error error) {
        leave();
        lastRefusal = error;
        if (Errors.is(error, Code.PRODUCER_FENCED)) {
            owner.onFenced(SpillwayException.of(error));
            return;
        }
        failures += Retries.waitsForLeader(error) ? 0 : 1;
        Retries.Verdict verdict =
                context.retries().afterRead(error, failures, context.settings().deliveryTimeoutMs());
        SpillwayException cause = SpillwayException.of(verdict.error());
        if (verdict.again()) {
            context.onOpenRefused(cause);
            waitMs(verdict.delayMs());
            context.flow().onLoadRefused(context, pressure, error, verdict.delayMs());
        } else {
            failures = 0;
            wanted = false;
            context.onOpenFailed(cause);
            owner.onOpenFailed(cause);
        }
    }

    @Override
    public void onEnded(Error why) {
        owner.onHandleEnded();
        onRefused(why);
    }

    @Override
    public void onDeliver(Frame frame) {
        // nothing is delivered to a publisher
    }

    @Override
    public void onBackpressure(Backpressure signal) {
        credit.grant(signal.getCredit());
        String scope = signal.getScope().isEmpty() ? context.topic() + "/" + partition : signal.getScope();
        pressure.signal(signal, scope);
        look();
        PressureState said = signal.getState();
        if (said == PressureState.UNRECOGNIZED || said.getNumber() >= PressureState.P_THROTTLED_VALUE) {
            long ms = PublishFlow.gateMs(signal.getRetryAfterMs());
            waitMs(ms);
            context.metrics().onThrottled(scope, ms);
        }
        owner.onProgress();
    }

    /** Sends one batch; the handler hears the verdict. Returns the correlation of the request. */
    int publish(Publish header, ByteBuf head, ByteBuf body, ResponseHandler handler) {
        credit.use(head.readableBytes() + body.readableBytes());
        look();
        return Objects.requireNonNull(connection).request(FrameKind.PUBLISH, number, header, head, body, handler);
    }

    /** The verdict of that request is of no interest any more. */
    void forget(int correlation) {
        if (connection != null) {
            connection.forget(correlation);
        }
    }

    /** Gives it back, with nothing under way on it. The next one begins with the broker's view of the sequence. */
    void close() {
        if (connection != null && state == State.OPEN) {
            connection.send(FrameKind.CLOSE_PUBLISHER, number, ClosePublisher.getDefaultInstance());
        }
        leave();
    }

    /** Closes it; the next one is of the next epoch, in which the sequence starts at 0. */
    void raiseEpoch() {
        close();
        epoch++;
        byName = true;
    }

    private void leave() {
        if (connection != null && connection.isOpen()) {
            connection.closeHandle(number);
        }
        onLost();
    }

    /** Lost with its connection. */
    void onLost() {
        connection = null;
        if (state != State.ENDED) {
            state = State.CLOSED;
        }
        look();
    }

    void onReady() {
        notBeforeNs = context.clock().nanoTime();
    }

    /** Never opened again. */
    void end() {
        close();
        state = State.ENDED;
        look();
    }

    /** Remembers why a batch was refused, for the error of one whose time is over. */
    void remember(Error refusal) {
        lastRefusal = refusal;
    }

    /** The broker takes batches again: what it refused before explains nothing any more. */
    void onAcked(Credit fresh) {
        credit.grant(fresh);
        lastRefusal = null;
        pressure.acked(PressureState.P_NORMAL, 0);
        context.flow().holds().acked(context);
        look();
    }

    /** With what the broker refused the batch before, when none was acked since and it can be reached; else null. */
    @Nullable
    Error refusal() {
        return context.flow().connection() == null ? null : lastRefusal;
    }

    /**
     * The error of a batch whose time is over while the broker lets nothing through; null when that is not why.
     *
     * @param starved whether it waits for credit alone
     */
    @Nullable
    SpillwayException throttled(String what, boolean starved) {
        if (context.flow().connection() == null) {
            return null;
        }
        Pressure worst = context.flow().pressureOn(context).orWorse(pressure.now());
        if (worst.level().compareTo(PressureLevel.THROTTLED) >= 0) {
            return worst.error(what, worst.reason(), "the broker asked to wait");
        }
        if (state != State.OPEN || !starved) {
            return null;
        }
        Pressure credit = new Pressure(
                worst.level(), worst.reasons(), worst.of(), context.topic() + "/" + partition, worst.retryAfter());
        return credit.error(what, "CREDIT", "the broker's credit is used up: " + this.credit);
    }

    /** Why nothing is sent. */
    String obstacle() {
        if (context.flow().connection() == null) {
            return context.disconnectedBecause();
        }
        if (lastRefusal != null && (state != State.OPEN || !isDue())) {
            return SpillwayException.of(lastRefusal).toString();
        }
        return credit.admits(1) ? context.flow().obstacle() : "the broker's credit is used up: " + credit;
    }
}
