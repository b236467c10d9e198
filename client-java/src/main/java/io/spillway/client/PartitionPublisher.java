package io.spillway.client;

import io.spillway.client.net.Connection;
import io.spillway.client.net.Errors;
import io.spillway.client.net.HandleListener;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.ClosePublisher;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.OpenPublisherOk;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.Publish;
import io.spillway.protocol.v1.PublishAck;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sends the batches of one producer to one partition, in the order of their sequence, until each has its outcome.
 *
 * <p>{@code sent} holds the batches under way; {@code again} those that were taken back, after a refusal or with a lost
 * connection, and go before anything new. Both are in sequence order, and {@code sent} is before {@code again}. A batch
 * whose records have their outcome before the broker's verdict is <em>abandoned</em>: in {@code sent} it goes on, in
 * {@code again} it only keeps its place. When an abandoned place comes up, the broker is asked what it has: a batch that
 * was stored leaves no hole; else the producer's epoch is raised, its sequence starts at 0, and what came after the hole,
 * which cannot have been stored, is sent under the new epoch.
 *
 * <p>Confined to the network thread.
 */
final class PartitionPublisher implements HandleListener {
    /** The broker remembers 64 batches of a producer; half of them may be under way. */
    private static final int MAX_IN_FLIGHT = 32;
    /** While this many are under way, records gather until a batch is full. */
    private static final int MAX_IN_FLIGHT_OF_PARTS = 4;

    private static final long ATTEMPT_TIMEOUT_NS = 5_000_000_000L;
    private static final long MIN_ATTEMPT_NS = 50_000_000;
    private static final long MAX_STARVED_NS = 2_000_000_000;

    private enum State {
        /** No handle; opened when there is work and a connection. */
        CLOSED,
        OPENING,
        OPEN,
        /** Fenced off or closed for good; every batch fails. */
        ENDED
    }

    final int partition;
    final PartitionQueue queue;
    /** Whether it waits for its turn; the flow's. */
    boolean queued;

    private final ProducerContext context;
    private final PublishFlow flow;
    private final Retries retries;
    private final ArrayDeque<PendingBatch> sent = new ArrayDeque<>();
    private final ArrayDeque<PendingBatch> again = new ArrayDeque<>();
    private State state = State.CLOSED;
    private @Nullable Connection connection;
    private PublishCredit credit = new PublishCredit(true);
    private int handle;
    private long producerId;
    private int epoch;
    private boolean epochUsed;
    /** Whether the next opening gives the producer's name, which makes the broker raise the epoch. */
    private boolean byName = true;

    private long nextSequence;
    private int maxInFlight = MAX_IN_FLIGHT;
    private int openFailures;
    private long notBeforeNs;
    private long starvedSinceNs;
    private boolean lingering;
    private boolean wanted;
    /** The broker expects another sequence; it is asked once nothing is under way. */
    private boolean outOfStep;

    private @Nullable Error lastRefusal;

    PartitionPublisher(ProducerContext context, int partition, PartitionQueue queue) {
        this.context = context;
        this.partition = partition;
        this.queue = queue;
        flow = context.flow();
        retries = context.retries();
        notBeforeNs = context.clock().nanoTime();
    }

    // ---- the handle

    /** Opens the handle now, and again whenever it is lost, whether or not there is work. */
    void want() {
        wanted = true;
        flow.wake(this);
    }

    private void open() {
        Connection ready = flow.connection();
        if (state != State.CLOSED || ready == null || !due()) {
            return;
        }
        state = State.OPENING;
        connection = ready;
        handle = ready.openHandle(this);
        if (producerId == 0) {
            producerId = context.producerId();
        }
        ready.request(
                FrameKind.OPEN_PUBLISHER,
                handle,
                OpenPublisher.newBuilder()
                        .setTopic(context.topic())
                        .setPartition(partition)
                        .setProducerName(byName ? context.settings().name() : "")
                        .setProducerId(producerId)
                        .setProducerEpoch(epoch)
                        .setDurability(context.settings().durability().wire())
                        .setAllowDegraded(context.settings().allowDegraded())
                        .build(),
                new Opening(ready));
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
                onOpenRefused(error);
            }
        }
    }

    private void onOpened(OpenPublisherOk ok) {
        state = State.OPEN;
        wanted = true;
        outOfStep = false;
        openFailures = 0;
        producerId = ok.getProducerId();
        byName = false;
        context.onOpened(producerId);
        credit = new PublishCredit(ok.hasCredit());
        credit.grant(ok.getCredit());
        maxInFlight =
                ok.getMaxInflightBatches() == 0 ? MAX_IN_FLIGHT : Math.min(MAX_IN_FLIGHT, ok.getMaxInflightBatches());
        if (ok.getProducerEpoch() != epoch) {
            startEpoch(ok.getProducerEpoch());
        } else if (epochUsed) {
            compareSequence(ok.getHasLast() ? ok.getLastSequence() + 1 : 0);
        }
        flow.wake(this);
    }

    /** After a gap in the conversation: the broker says which sequence it expects next. */
    private void compareSequence(long expected) {
        long first = nextSequence;
        for (PendingBatch batch : again) {
            if (batch.epoch == epoch) {
                first = Math.min(first, batch.baseSequence);
                batch.maybeStored = batch.endSequence() <= expected;
            }
        }
        if (expected < first || expected > nextSequence) {
            raiseEpoch();
        } else {
            again.removeIf(batch -> batch.abandoned && batch.maybeStored);
        }
    }

    private void onOpenRefused(Error error) {
        leaveHandle();
        lastRefusal = error;
        if (Errors.is(error, Code.PRODUCER_FENCED)) {
            end(SpillwayException.of(error));
            return;
        }
        openFailures++;
        Retries.Verdict verdict =
                retries.afterRead(error, openFailures, context.settings().deliveryTimeoutMs());
        if (verdict.again()) {
            context.onOpenRefused(SpillwayException.of(error));
            waitMs(verdict.delayMs());
        } else {
            openFailures = 0;
            wanted = false;
            SpillwayException cause = SpillwayException.of(verdict.error());
            context.onOpenFailed(cause);
            failAll(cause);
        }
    }

    private void leaveHandle() {
        if (connection != null && connection.isOpen()) {
            connection.closeHandle(handle);
        }
        connection = null;
        state = State.CLOSED;
    }

    /** Gives the handle back, with nothing under way on it; the next one begins with the broker's view of the sequence. */
    private void reopen() {
        if (connection != null && state == State.OPEN) {
            connection.send(FrameKind.CLOSE_PUBLISHER, handle, ClosePublisher.getDefaultInstance());
        }
        leaveHandle();
        flow.wake(this);
    }

    private void raiseEpoch() {
        startEpoch(epoch + 1);
        byName = true;
        reopen();
    }

    private void startEpoch(int newEpoch) {
        epoch = newEpoch;
        epochUsed = false;
        nextSequence = 0;
        again.removeIf(batch -> batch.abandoned);
        again.forEach(batch -> batch.maybeStored = false);
    }

    // ---- sending

    /** Sends what may be sent. True when there is more, but the flow lets nothing out at present. */
    boolean pump() {
        queue.onLooked();
        if (state == State.CLOSED && (wanted || hasWork())) {
            open();
        }
        while (state == State.OPEN && sent.size() < maxInFlight && due()) {
            if (!flow.maySend()) {
                return hasWork();
            }
            PendingBatch batch = next();
            if (batch == null) {
                return false;
            }
            if (tooLate(batch)) {
                abandon(batch, expired(batch));
                if (batch.isEncoded()) {
                    again.addFirst(batch);
                }
            } else if (credit.admits(batch.bytes())) {
                send(batch);
            } else {
                again.addFirst(batch);
                return false;
            }
        }
        return false;
    }

    private boolean hasWork() {
        return !again.isEmpty() || !queue.isEmpty();
    }

    private boolean due() {
        return context.clock().nanoTime() - notBeforeNs >= 0;
    }

    private void waitMs(long ms) {
        notBeforeNs = context.clock().nanoTime() + ms * 1_000_000;
    }

    private @Nullable PendingBatch next() {
        PendingBatch first = again.peek();
        boolean hole = first != null && first.abandoned;
        if (hole || outOfStep) {
            if (sent.isEmpty() && (outOfStep || first.maybeStored)) {
                reopen();
            } else if (sent.isEmpty()) {
                raiseEpoch();
            }
            return null;
        }
        return first == null ? queue.take(takesOpenBatch()) : again.poll();
    }

    private boolean takesOpenBatch() {
        if (sent.size() >= MAX_IN_FLIGHT_OF_PARTS) {
            return false;
        }
        long lingerNs = context.settings().lingerNs();
        long since = lingerNs == 0 ? 0 : queue.openSinceNs();
        if (lingerNs == 0 || since == PartitionQueue.NOTHING_OPEN) {
            return true;
        }
        long left = since + lingerNs - context.clock().nanoTime();
        if (left > 0 && !lingering) {
            lingering = true;
            context.after(left, () -> {
                lingering = false;
                flow.wake(this);
            });
        }
        return left <= 0;
    }

    private boolean tooLate(PendingBatch batch) {
        long left = batch.deadlineNs() - context.clock().nanoTime();
        return left < Math.min(MIN_ATTEMPT_NS, batch.timeoutMs * 500_000);
    }

    private void send(PendingBatch batch) {
        Connection to = Objects.requireNonNull(connection);
        if (!batch.isEncoded() || batch.epoch != epoch) {
            batch.encode(this, producerId, epoch, nextSequence);
            nextSequence = batch.endSequence();
            epochUsed = true;
        }
        long now = context.clock().nanoTime();
        batch.sentNs = now;
        batch.sends++;
        Publish header = Publish.newBuilder()
                .setTimeoutMs((int) Math.max(1, (batch.deadlineNs() - now) / 1_000_000))
                .setDurability(context.settings().durability().wire())
                .setAttempt(batch.sends)
                .setQueuedMs((int) ((now - batch.createdNs) / 1_000_000))
                .build();
        sent.add(batch);
        credit.use(batch.bytes());
        flow.onSent();
        batch.correlation = to.request(FrameKind.PUBLISH, handle, header, batch.head(), batch.body(), batch);
        context.metrics().onBatchSent(context.topic(), partition, batch.count(), batch.bytes(), batch.sends);
    }

    // ---- verdicts

    void onAck(PendingBatch batch, PublishAck ack) {
        if (sent.peek() == batch) {
            sent.remove();
        } else {
            sent.remove(batch);
        }
        credit.grant(ack.getCredit());
        flow.onAcked(ack.getState(), ack.getThrottleMs());
        retries.onSuccess(batch.retryCost);
        context.onOutcome(null, batch.sentNs);
        context.metrics()
                .onBatchAcked(
                        context.topic(),
                        partition,
                        batch.count(),
                        context.clock().nanoTime() - batch.sentNs);
        if (!batch.abandoned) {
            context.space().give(batch.reservedBytes());
        }
        batch.acked(context.topic(), partition, ack);
        flow.wake(this);
    }

    void onRefused(PendingBatch batch, Error error) {
        if (connection == null || !connection.isOpen()) {
            return; // onLost takes back all that was sent
        }
        lastRefusal = error;
        flow.wake(this);
        takeBack(batch);
        if (Errors.is(error, Code.PRODUCER_FENCED)) {
            end(SpillwayException.of(error));
            return;
        }
        batch.failures++;
        context.onOutcome(error, batch.sentNs);
        if (Errors.is(error, Code.SEQUENCE_GAP) && batch.failures < Retries.MAX_PUBLISH_ATTEMPTS) {
            outOfStep = true;
            return;
        }
        Retries.Verdict verdict = retries.afterPublish(error, batch.failures, leftMs(batch));
        if (verdict.outcomeUnknown()) {
            again.forEach(taken -> taken.maybeStored = true);
        }
        if (!verdict.again() || batch.abandoned) {
            abandon(batch, SpillwayException.of(verdict.error()));
        } else {
            batch.retryCost = verdict.cost();
            waitMs(verdict.delayMs());
        }
    }

    private long leftMs(PendingBatch batch) {
        return (batch.deadlineNs() - context.clock().nanoTime()) / 1_000_000;
    }

    /** Takes back this batch and all sent after it, to be sent again in order. */
    private void takeBack(PendingBatch from) {
        PendingBatch last;
        do {
            last = sent.removeLast();
            if (connection != null) {
                connection.forget(last.correlation);
            }
            flow.onDone();
            again.addFirst(last);
        } while (last != from);
    }

    @Override
    public void onDeliver(Frame frame) {
        // nothing is delivered to a publisher
    }

    @Override
    public void onBackpressure(Backpressure signal) {
        credit.grant(signal.getCredit());
        if (signal.getState().getNumber() >= PressureState.P_THROTTLED_VALUE) {
            waitMs(PublishFlow.gateMs(signal.getRetryAfterMs()));
            context.metrics().onThrottled(context.topic() + "/" + partition, signal.getRetryAfterMs());
        }
        flow.wake(this);
    }

    @Override
    public void onEnded(Error why) {
        takeBackAll();
        onOpenRefused(why);
    }

    void onLost() {
        takeBackAll();
        connection = null;
        if (state != State.ENDED) {
            state = State.CLOSED;
        }
    }

    private void takeBackAll() {
        if (!sent.isEmpty()) {
            sent.forEach(batch -> batch.maybeStored = true);
            takeBack(sent.getFirst());
        }
    }

    /** A new connection. What was open is opened again, whether or not there is work. */
    void onReady() {
        notBeforeNs = context.clock().nanoTime();
        flow.wake(this);
    }

    /** The retry budget is empty: what was sent and has no verdict fails rather than being sent again. */
    void giveUpUnanswered() {
        SpillwayException cause = SpillwayException.of(
                Code.OUTCOME_UNKNOWN,
                "records for " + context.topic() + "/" + partition + " were sent and got no answer",
                "the connection was lost, and the retry budget of this client is used up",
                "look at the broker's health; publish again only if a second copy does no harm");
        again.stream().filter(batch -> batch.maybeStored).forEach(batch -> abandon(batch, cause));
    }

    // ---- time

    /** Finds what has waited too long. Call it several times a second. */
    void tick(long nowNs) {
        expire(nowNs);
        PendingBatch oldest = sent.peek();
        if (oldest != null && nowNs - oldest.sentNs > ATTEMPT_TIMEOUT_NS && connection != null) {
            flow.onTimeout();
            sent.forEach(batch -> batch.maybeStored = true);
            onRefused(oldest, attemptTimeout());
        }
        renewStarvedCredit(nowNs);
        if (hasWork() || (wanted && state == State.CLOSED)) {
            flow.wake(this);
        }
    }

    /** With nothing under way no ack can bring credit: should the two sides count differently, a new handle starts afresh. */
    private void renewStarvedCredit(long nowNs) {
        PendingBatch first = again.peek();
        boolean starved = state == State.OPEN
                && sent.isEmpty()
                && first != null
                && !first.abandoned
                && !credit.admits(first.bytes());
        if (!starved) {
            starvedSinceNs = nowNs;
        } else if (nowNs - starvedSinceNs > MAX_STARVED_NS) {
            starvedSinceNs = nowNs;
            reopen();
        }
    }

    private Error attemptTimeout() {
        return Errors.of(
                Code.ATTEMPT_TIMEOUT,
                "no answer to a batch for " + context.topic() + "/" + partition,
                "none came within " + ATTEMPT_TIMEOUT_NS / 1_000_000 + " ms",
                "look at the broker's health");
    }

    private void expire(long nowNs) {
        for (PendingBatch batch : sent) {
            if (!batch.abandoned && batch.deadlineNs() - nowNs < 0) {
                batch.maybeStored = true;
                abandon(batch, expired(batch));
            }
        }
        for (PendingBatch batch : again) {
            if (!batch.abandoned && batch.deadlineNs() - nowNs < 0) {
                abandon(batch, expired(batch));
            }
        }
        again.removeIf(batch -> batch.abandoned && !batch.isEncoded());
        for (PendingBatch batch : queue.takeExpired(nowNs)) {
            abandon(batch, expired(batch));
        }
    }

    private SpillwayException expired(PendingBatch batch) {
        String what = batch.count() + " records for " + context.topic() + "/" + partition + " have no outcome after "
                + batch.timeoutMs + " ms";
        return batch.maybeStored
                ? SpillwayException.of(
                        Code.OUTCOME_UNKNOWN,
                        what,
                        "they were sent and no answer came: " + obstacle(),
                        "publish them again only if a second copy does no harm, or with idempotency keys")
                : SpillwayException.of(
                        Code.DEADLINE_EXCEEDED,
                        what,
                        "nothing was stored: " + obstacle(),
                        "publish them again, or allow a longer delivery timeout");
    }

    private String obstacle() {
        if (flow.connection() == null) {
            return context.disconnectedBecause();
        }
        if (lastRefusal != null && state != State.OPEN) {
            return SpillwayException.of(lastRefusal).toString();
        }
        return credit.admits(1) ? flow.obstacle() : "the broker's credit is used up: " + credit;
    }

    // ---- the end

    private void abandon(PendingBatch batch, SpillwayException cause) {
        if (!batch.abandoned) {
            context.space().give(batch.reservedBytes());
            context.metrics().onPublishFailed(context.topic(), partition, batch.count(), cause);
            batch.abandon(cause);
        }
    }

    private void failAll(SpillwayException cause) {
        takeBackAll();
        again.forEach(batch -> abandon(batch, batch.maybeStored ? unknown(cause) : cause));
        queue.takeAll().forEach(batch -> abandon(batch, cause));
    }

    private SpillwayException unknown(SpillwayException cause) {
        return SpillwayException.of(
                Code.OUTCOME_UNKNOWN,
                "records for " + context.topic() + "/" + partition + " were sent and got no answer",
                cause.toString(),
                "publish them again only if a second copy does no harm, or with idempotency keys");
    }

    /** Nothing is taken or sent any more; what has no outcome fails. */
    void end(SpillwayException cause) {
        takeBackAll();
        reopen();
        state = State.ENDED;
        queue.close(cause);
        failAll(cause);
        again.clear();
    }

    /** Counts all batches without outcome into a flush. */
    void collect(Outcomes flush) {
        List<PendingBatch> waiting = queue.sealAll();
        for (Iterable<PendingBatch> place : List.of(sent, again, waiting)) {
            for (PendingBatch batch : place) {
                if (!batch.abandoned) {
                    batch.onOutcome(flush);
                }
            }
        }
        flow.wake(this);
    }

    boolean hasUnanswered() {
        return !sent.isEmpty();
    }
}
