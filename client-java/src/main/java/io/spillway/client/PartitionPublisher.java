package io.spillway.client;

import io.spillway.client.net.Errors;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Publish;
import io.spillway.protocol.v1.PublishAck;
import java.util.ArrayDeque;
import java.util.List;
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
final class PartitionPublisher implements PublisherHandle.Owner {
    /** While this many are under way, records gather until a batch is full. */
    private static final int MAX_IN_FLIGHT_OF_PARTS = 4;

    private static final long ATTEMPT_TIMEOUT_NS = 5_000_000_000L;
    private static final long MIN_ATTEMPT_NS = 50_000_000;
    private static final long MAX_STARVED_NS = 2_000_000_000;

    final int partition;
    final PartitionQueue queue;
    /** Whether it waits for its turn; the flow's. */
    boolean queued;

    private final ProducerContext context;
    private final PublishFlow flow;
    private final PublisherHandle handle;
    private final ArrayDeque<PendingBatch> sent = new ArrayDeque<>();
    private final ArrayDeque<PendingBatch> again = new ArrayDeque<>();
    private boolean epochUsed;
    private long nextSequence;
    /** The broker expects another sequence; it is asked once nothing is under way. */
    private boolean outOfStep;

    /** For other threads: something was taken back, and goes first. */
    private volatile boolean isBehind;

    private final KeysInProgress inProgress;
    private boolean lingering;
    private long starvedSinceNs;

    PartitionPublisher(ProducerContext context, int partition, PartitionQueue queue) {
        this.context = context;
        this.partition = partition;
        this.queue = queue;
        flow = context.flow();
        inProgress = new KeysInProgress(context.allocator());
        starvedSinceNs = context.clock().nanoTime();
        handle = new PublisherHandle(context, partition, this);
    }

    /** Opens the handle now, and again whenever it is lost, whether or not there is work. */
    void want() {
        handle.want();
        flow.wake(this);
    }

    /** What the broker says of this partition. From any thread. */
    Pressure pressure() {
        return handle.pressure().now();
    }

    /** Whether a record could be sent at once, as far as this partition goes. From any thread. */
    boolean mayTake() {
        return !isBehind && handle.mayTake();
    }

    private void look() {
        if (isBehind == again.isEmpty()) {
            isBehind = !again.isEmpty();
        }
    }

    // ---- the sequence

    @Override
    public void onOpened(boolean epochGoesOn, long expectedSequence) {
        outOfStep = false;
        if (!epochGoesOn) {
            startEpoch();
        } else if (epochUsed) {
            compareSequence(expectedSequence);
        }
        flow.wake(this);
    }

    /** After a gap in the conversation: the broker says which sequence it expects next. */
    private void compareSequence(long expected) {
        long first = nextSequence;
        for (PendingBatch batch : again) {
            if (batch.epoch == handle.epoch()) {
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

    private void raiseEpoch() {
        handle.raiseEpoch();
        startEpoch();
        flow.wake(this);
    }

    private void startEpoch() {
        epochUsed = false;
        nextSequence = 0;
        again.removeIf(batch -> batch.abandoned);
        again.forEach(batch -> batch.maybeStored = false);
    }

    private void reopen() {
        handle.close();
        flow.wake(this);
    }

    // ---- sending

    /** Sends what may be sent. True when there is more, but the flow lets nothing out at present. */
    boolean pump() {
        boolean more = sendAll();
        look();
        return more;
    }

    private boolean sendAll() {
        queue.onLooked();
        if (handle.isMissed() || hasWork()) {
            handle.open();
        }
        while (handle.isOpen() && sent.size() < handle.maxInFlight() && handle.isDue()) {
            if (!flow.holds().letsOut(context)) {
                return false; // the next tick looks again
            }
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
            } else if (handle.credit().admits(batch.bytes())) {
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
        if (batch.epoch != handle.epoch()) {
            batch.encode(this, handle.producerId(), handle.epoch(), nextSequence);
            nextSequence = batch.endSequence();
            epochUsed = true;
        }
        long now = context.clock().nanoTime();
        batch.sentNs = now;
        batch.sends++;
        Publish.Builder header = Publish.newBuilder()
                .setTimeoutMs((int) Math.max(1, (batch.deadlineNs() - now) / 1_000_000))
                .setDurability(context.settings().durability().wire())
                .setAttempt(batch.sends)
                .setQueuedMs((int) ((now - batch.createdNs) / 1_000_000));
        if (context.settings().shedClass() != ProducerSettings.TOPICS) {
            header.setShedClass(context.settings().shedClass());
        }
        sent.add(batch);
        flow.onSent();
        batch.correlation = handle.publish(header.build(), batch.head(), batch.body(), batch);
        context.metrics().onBatchSent(context.topic(), partition, batch.count(), batch.bytes(), batch.sends);
    }

    // ---- verdicts

    void onAck(PendingBatch batch, PublishAck ack) {
        if (sent.peek() == batch) {
            sent.remove();
        } else {
            sent.remove(batch);
        }
        handle.onAcked(ack.getCredit());
        flow.onAcked(ack.getState(), ack.getThrottleMs());
        context.retries().onSuccess(batch.retryCost);
        context.onOutcome(null, batch.sentNs);
        context.metrics()
                .onBatchAcked(
                        context.topic(),
                        partition,
                        batch.count(),
                        context.clock().nanoTime() - batch.sentNs);
        long kept = inProgress.takeFrom(batch, ack, context.clock().nanoTime());
        if (!batch.abandoned) {
            context.space().give(batch.reservedBytes() - kept);
        }
        batch.acked(context.topic(), partition, ack);
        flow.wake(this);
    }

    void onRefused(PendingBatch batch, Error error) {
        if (!handle.isConnected()) {
            return; // onLost takes back all that was sent
        }
        handle.remember(error);
        flow.wake(this);
        takeBack(batch);
        if (Errors.is(error, Code.PRODUCER_FENCED)) {
            end(SpillwayException.of(error));
            return;
        }
        batch.failures += Retries.waitsForLeader(error) ? 0 : 1;
        context.onOutcome(error, batch.sentNs);
        if (Errors.is(error, Code.SEQUENCE_GAP) && batch.failures < Retries.MAX_PUBLISH_ATTEMPTS) {
            outOfStep = true;
            return;
        }
        flow.onRefused(error);
        Retries.Verdict verdict = context.retries().afterPublish(error, batch.failures, leftMs(batch));
        if (verdict.outcomeUnknown()) {
            again.forEach(taken -> taken.maybeStored = true);
        }
        if (!verdict.again() || batch.abandoned) {
            SpillwayException cause = SpillwayException.of(verdict.error());
            abandon(batch, batch.maybeStored && !cause.outcomeUnknown() ? unknown(cause) : cause);
        } else {
            batch.retryCost = verdict.cost();
            handle.waitMs(verdict.delayMs());
            flow.onLoadRefused(context, handle.pressure(), error, verdict.delayMs());
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
            handle.forget(last.correlation);
            flow.onDone();
            again.addFirst(last);
        } while (last != from);
        look();
    }

    @Override
    public void onProgress() {
        flow.wake(this);
    }

    @Override
    public void onHandleEnded() {
        takeBackAll();
    }

    @Override
    public void onOpenFailed(SpillwayException cause) {
        failAll(cause);
    }

    @Override
    public void onFenced(SpillwayException cause) {
        end(cause);
    }

    void onLost() {
        takeBackAll();
        handle.onLost();
    }

    private void takeBackAll() {
        if (!sent.isEmpty()) {
            sent.forEach(batch -> batch.maybeStored = true);
            takeBack(sent.getFirst());
        }
    }

    /** A new connection. What was open is opened again, whether or not there is work. */
    void onReady() {
        handle.onReady();
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
        again.addAll(inProgress.takeDue(nowNs));
        handle.pressure().tick();
        expire(nowNs);
        PendingBatch oldest = sent.peek();
        if (oldest != null && nowNs - oldest.sentNs > ATTEMPT_TIMEOUT_NS) {
            flow.onTimeout();
            sent.forEach(batch -> batch.maybeStored = true);
            onRefused(oldest, attemptTimeout());
        }
        renewStarvedCredit(nowNs);
        if (hasWork() || handle.isMissed()) {
            flow.wake(this);
        }
    }

    /** With nothing under way no ack can bring credit: should the two sides count differently, a new handle starts afresh. */
    private void renewStarvedCredit(long nowNs) {
        PendingBatch first = again.peek();
        boolean starved = handle.isOpen()
                && sent.isEmpty()
                && first != null
                && !first.abandoned
                && !handle.credit().admits(first.bytes());
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
        if (batch.maybeStored) {
            return SpillwayException.of(
                    Code.OUTCOME_UNKNOWN,
                    what,
                    "they were sent and no answer came: " + handle.obstacle(),
                    "publish them again only if a second copy does no harm, or with idempotency keys");
        }
        Error refusal = handle.refusal();
        if (refusal != null) {
            // Why the time ran out says more than that it did.
            return SpillwayException.of(refusal.toBuilder()
                    .setMessage(what + ": " + refusal.getMessage())
                    .build());
        }
        boolean starved = sent.isEmpty() && !handle.credit().admits(batch.bytes());
        SpillwayException throttled = handle.throttled(what, starved);
        if (throttled != null) {
            return throttled;
        }
        return SpillwayException.of(
                Code.DEADLINE_EXCEEDED,
                what,
                "nothing was stored: " + handle.obstacle(),
                "publish them again, or allow a longer delivery timeout");
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
        again.addAll(inProgress.takeAll());
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
        handle.end();
        queue.close(cause);
        failAll(cause);
        again.clear();
    }

    /** Counts all batches without outcome into a flush. */
    void collect(Outcomes flush) {
        List<PendingBatch> waiting = queue.sealAll();
        for (Iterable<PendingBatch> place : List.of(sent, again, inProgress.all(), waiting)) {
            for (PendingBatch batch : place) {
                if (!batch.abandoned) {
                    batch.onOutcome(flush);
                }
            }
        }
        flow.wake(this);
    }
}
