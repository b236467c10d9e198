package io.spillway.client;

import io.spillway.client.core.Drain;
import io.spillway.protocol.Code;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A subscription over the client's connection. Thread-safe. */
final class ConnectedSubscription implements Subscription, DeliveryQueue.Listener {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    /** What closing may take after a drain. */
    private static final Duration LAST_MOMENT = Duration.ofSeconds(1);

    private final ClientContext client;
    private final SubscriptionSettings settings;
    private final DeliveryQueue queue;
    private final AckSender acks;
    private final SubscriptionLink link;
    private final Consumer<ConnectedSubscription> onClosed;
    private volatile List<Integer> partitions = List.of();
    private volatile @Nullable HandlerPool handlers;
    private volatile boolean closed;

    /** @param startOffsets where a reader begins, for partitions where that is known */
    ConnectedSubscription(
            ClientContext client,
            SubscriptionSettings settings,
            Map<Integer, Long> startOffsets,
            Consumer<ConnectedSubscription> onClosed) {
        this.client = client;
        this.settings = settings;
        this.onClosed = onClosed;
        queue = new DeliveryQueue(
                settings.topic(),
                client.clock(),
                settings.creditBytes() / 2,
                SubscriptionCredit.batches(settings.creditBytes()) / 2,
                this);
        acks = new AckSender(client, settings);
        link = new SubscriptionLink(client, settings, startOffsets, queue, acks);
    }

    /** Waits until the broker has accepted it. */
    void awaitOpen(Duration timeout) {
        var done = client.await(link.opened(), timeout, settings.toString());
        if (done == null) {
            throw SpillwayException.of(
                    Code.DEADLINE_EXCEEDED,
                    settings + " is not open after " + timeout.toMillis() + " ms",
                    link.obstacle(),
                    "look at the broker's health, or allow a longer request timeout");
        }
        partitions = done.value();
    }

    void handle(MessageHandler handler, int concurrency) {
        handlers = new HandlerPool(this, client.clock(), handler, concurrency);
    }

    SubscriptionSettings settings() {
        return settings;
    }

    @Override
    public String topic() {
        return settings.topic();
    }

    @Override
    public List<Integer> partitions() {
        return partitions;
    }

    @Override
    public boolean isActive() {
        return link.isActive();
    }

    @Override
    public @Nullable Message poll(Duration timeout) {
        refuseWithHandler();
        return take(timeout);
    }

    /** What {@link #poll} does, for handlers too. */
    @Nullable
    Message take(Duration timeout) {
        List<Message> one = new ArrayList<>(1);
        take(one, 1, timeout);
        return one.isEmpty() ? null : one.get(0);
    }

    @Override
    public List<Message> poll(int max, Duration timeout) {
        Arguments.between("max", max, 1, Integer.MAX_VALUE);
        refuseWithHandler();
        List<Message> messages = new ArrayList<>(Math.min(max, 1_024));
        take(messages, max, timeout);
        return messages;
    }

    private void refuseWithHandler() {
        if (handlers != null) {
            throw Arguments.invalid("poll on " + settings, "its messages go to its handler");
        }
    }

    private void take(List<Message> into, int max, Duration timeout) {
        client.refuseOnNetworkThread("poll");
        try {
            queue.take(into, max, timeout.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SpillwayException.of(
                    Code.DEADLINE_EXCEEDED,
                    "the wait of " + settings + " was cut short",
                    "the waiting thread was interrupted",
                    "poll again, or close the subscription",
                    e);
        }
    }

    @Override
    public void onConsumed() {
        client.onNetworkThread(link::grantCredit);
    }

    @Override
    public void onIdle() {
        acks.flushSoon();
    }

    @Override
    public void flushAcks(Duration timeout) {
        client.refuseOnNetworkThread("flushAcks");
        if (client.await(settlements(), timeout, "the acks of " + settings) == null) {
            throw SpillwayException.of(
                    Code.DEADLINE_EXCEEDED,
                    "settlements of " + settings + " are not confirmed after " + timeout.toMillis() + " ms",
                    "no answer from the broker",
                    "they are still under way; look at the broker's health");
        }
    }

    private CompletableFuture<Void> settlements() {
        Outcomes flush = new Outcomes();
        client.onNetworkThread(() -> {
            acks.collect(flush);
            flush.complete();
        });
        return flush.future();
    }

    @Override
    public CompletableFuture<Void> ended() {
        return link.ended().copy();
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    @Override
    public void close(Duration timeout) {
        client.refuseOnNetworkThread("close");
        if (closed) {
            return;
        }
        closed = true;
        SpillwayException cause = link.closedError();
        queue.end(cause);
        Drain drain = new Drain(Drain.Scope.SUBSCRIPTION, timeout.toMillis(), nowMs());
        try {
            for (Drain.Step step = next(drain); step != Drain.Step.END; step = next(drain)) {
                perform(step, Duration.ofMillis(drain.limitMs(step, nowMs())));
            }
        } finally {
            client.finishOnNetworkThread(() -> {
                link.close(cause);
                onClosed.accept(this);
            });
        }
    }

    @Override
    public void drain(Duration timeout) {
        client.refuseOnNetworkThread("drain");
        long deadlineNs = client.clock().nanoTime() + timeout.toNanos();
        boolean settled = client.await(whenIdle(), timeout, "draining " + settings) != null;
        close(
                settled
                        ? Duration.ofNanos(
                                        Math.max(0, deadlineNs - client.clock().nanoTime()))
                                .plus(LAST_MOMENT)
                        : LAST_MOMENT);
        if (!settled) {
            throw SpillwayException.of(
                    Code.DEADLINE_EXCEEDED,
                    "not all that " + settings + " had handed out was settled within " + timeout.toMillis() + " ms",
                    "its handlers take longer, or a message was never settled",
                    "what was not settled was given back and will be delivered again; allow more time");
        }
    }

    private CompletableFuture<Void> whenIdle() {
        CompletableFuture<Void> idle = new CompletableFuture<>();
        client.onNetworkThread(() -> link.startDrain(idle));
        return idle;
    }

    private Drain.Step next(Drain drain) {
        return drain.next(client.isConnected(), nowMs());
    }

    private long nowMs() {
        return client.clock().nanoTime() / 1_000_000;
    }

    private void perform(Drain.Step step, Duration limit) {
        switch (step) {
            case HANDLERS -> {
                HandlerPool pool = handlers;
                if (pool != null) {
                    pool.stop(limit);
                }
            }
            case SETTLE -> awaitOnNetwork(link::settle, limit);
            case UNSUBSCRIBE -> awaitOnNetwork(link::unsubscribe, limit);
            case SUBSCRIPTIONS, PRODUCERS, BYE, END ->
                throw new IllegalStateException(step + " is no step of a subscription");
        }
    }

    private void awaitOnNetwork(Supplier<CompletableFuture<Void>> task, Duration limit) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        client.onNetworkThread(() -> task.get().thenRun(() -> done.complete(null)));
        client.await(done, limit, "closing " + settings);
    }

    Workload work() {
        return client.work();
    }

    // ---- on the network thread

    SubscriptionLink link() {
        return link;
    }
}
