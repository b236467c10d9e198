package io.spillway.client;

import io.spillway.client.core.Drain;
import io.spillway.client.net.Connection;
import io.spillway.client.net.Endpoint;
import io.spillway.client.net.Errors;
import io.spillway.client.net.Link;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Bye;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ToggleUpdate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A client over one {@link Link}: passes on what the link says to its producers and subscriptions. Thread-safe. */
final class ConnectedClient implements SpillwayClient, Link.Listener {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    private final @Nullable ClientNetwork own;
    private final Link link;
    private final ClientContext context;
    private final Requests requests;
    private final Admin admin;
    private final Set<BatchingProducer> producers = ConcurrentHashMap.newKeySet();
    private final Set<ConnectedSubscription> subscriptions = ConcurrentHashMap.newKeySet();
    private final Supplier<Link> readers;
    private final Map<ConnectedSubscription, NearestReader> readersOpen = new ConcurrentHashMap<>();
    private final CompletableFuture<Void> connected = new CompletableFuture<>();
    private final HealthReporter reporter;
    private final MetadataRefresher refresher;
    private final boolean patient;
    private boolean wasReady;
    private volatile boolean closed;
    private volatile Toggles toggles = Toggles.NONE;

    /**
     * @param own the network that ends with the client; null when it is shared
     * @param readers makes the links of readers of the nearest node, on the same network thread
     * @param patient whether the first connection may take more than one round of the endpoints
     */
    ConnectedClient(
            @Nullable ClientNetwork own, Link link, Supplier<Link> readers, ClientContext context, boolean patient) {
        this.readers = readers;
        this.own = own;
        this.link = link;
        this.context = context;
        this.patient = patient;
        reporter = new HealthReporter(context.health(), context);
        requests = new Requests(context);
        admin = new RemoteAdmin(requests);
        refresher = new MetadataRefresher(context, requests, link::upTo);
    }

    /** Connects, or throws why not and leaves nothing behind. */
    void connect(Duration timeout) {
        context.onNetworkThread(() -> link.start(this));
        try {
            if (context.await(connected, timeout, "a connection") == null) {
                throw SpillwayException.of(link.lastError());
            }
        } catch (SpillwayException e) {
            shutDown();
            throw e;
        }
    }

    @Override
    public ProducerBuilder producer(String topic) {
        Arguments.notEmpty("the topic's name", topic);
        return new ProducerOptions(settings -> open(topic, settings));
    }

    private Producer open(String topic, ProducerSettings settings) {
        refuseWhenClosed();
        int partitions = admin.describeTopic(topic).partitions().size();
        ProducerContext shared = new ProducerContext(topic, settings, context);
        BatchingProducer producer = new BatchingProducer(shared, context, partitions, producers::remove);
        producers.add(producer);
        context.onNetworkThread(producer::open);
        try {
            if (context.await(shared.opened(), context.requestTimeout(), "a producer of " + topic) == null) {
                throw SpillwayException.of(
                        Code.DEADLINE_EXCEEDED,
                        "the producer of " + topic + " is not open after "
                                + context.requestTimeout().toMillis() + " ms",
                        shared.obstacle(),
                        "look at the broker's health, or allow a longer request timeout");
            }
        } catch (SpillwayException e) {
            context.onNetworkThread(() -> producer.end(e));
            throw e;
        }
        return producer;
    }

    @Override
    public SubscriptionBuilder subscribe(String topic) {
        Arguments.notEmpty("the topic's name", topic);
        return new SubscriptionOptions(topic, context.clientName(), this::open);
    }

    private ConnectedSubscription open(SubscriptionSettings settings) {
        refuseWhenClosed();
        if (settings.readFrom() == ReadFrom.NEAREST) {
            return openNearest(settings);
        }
        ConnectedSubscription subscription =
                new ConnectedSubscription(context, settings, startOffsets(settings), subscriptions::remove);
        subscriptions.add(subscription);
        context.onNetworkThread(() -> subscription.link().open());
        try {
            subscription.awaitOpen(context.requestTimeout());
        } catch (SpillwayException e) {
            subscriptions.remove(subscription);
            context.onNetworkThread(() -> subscription.link().giveUp(e));
            throw e;
        }
        return subscription;
    }

    private ConnectedSubscription openNearest(SubscriptionSettings settings) {
        Link own = readers.get();
        NearestReader reader = new NearestReader(
                own, context.over(own), settings, startOffsets(settings), closed -> readersOpen.remove(closed));
        ConnectedSubscription subscription = reader.subscription();
        readersOpen.put(subscription, reader);
        context.onNetworkThread(() -> reader.start(link.hello()));
        try {
            subscription.awaitOpen(context.requestTimeout());
        } catch (SpillwayException e) {
            readersOpen.remove(subscription);
            context.onNetworkThread(() -> {
                subscription.link().end(e);
                reader.end();
            });
            throw e;
        }
        return subscription;
    }

    /** "Latest" is made a number at once, so that what is published during an outage is not skipped. */
    private Map<Integer, Long> startOffsets(SubscriptionSettings settings) {
        Map<Integer, Long> offsets = new HashMap<>();
        if (settings.isStream() && settings.start().kind() == StartPosition.LATEST) {
            for (TopicDescription.Partition p :
                    admin.describeTopic(settings.topic()).partitions()) {
                if (settings.partitions().isEmpty() || settings.partitions().contains(p.partition())) {
                    offsets.put(p.partition(), p.endOffset());
                }
            }
        }
        return offsets;
    }

    @Override
    public Health health() {
        return reporter.health();
    }

    @Override
    public Pressure pressure() {
        return context.flow().pressure().now();
    }

    @Override
    public Toggles toggles() {
        return toggles;
    }

    @Override
    public Admin admin() {
        return admin;
    }

    private void refuseWhenClosed() {
        if (closed) {
            throw closedError();
        }
    }

    private static SpillwayException closedError() {
        return SpillwayException.of(Code.CLIENT_CLOSED, "the client is closed", "close was called", "build a new one");
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    @Override
    public void close(Duration timeout) {
        context.refuseOnNetworkThread("close");
        if (closed) {
            return;
        }
        closed = true;
        Drain drain = new Drain(Drain.Scope.CLIENT, timeout.toMillis(), nowMs());
        try {
            for (Drain.Step step = next(drain); step != Drain.Step.END; step = next(drain)) {
                perform(step, drain);
            }
        } finally {
            shutDown();
        }
    }

    private Drain.Step next(Drain drain) {
        return drain.next(link.isConnected(), nowMs());
    }

    private void perform(Drain.Step step, Drain drain) {
        switch (step) {
            case SUBSCRIPTIONS -> {
                List.copyOf(subscriptions).forEach(each -> each.close(left(step, drain)));
                List.copyOf(readersOpen.keySet()).forEach(each -> each.close(left(step, drain)));
            }
            case PRODUCERS -> List.copyOf(producers).forEach(each -> each.close(left(step, drain)));
            case BYE -> {
                CompletableFuture<Void> bye = new CompletableFuture<>();
                context.onNetworkThread(() -> sayBye(bye));
                context.await(bye, left(step, drain), "the broker's farewell");
            }
            case HANDLERS, SETTLE, UNSUBSCRIBE, END ->
                throw new IllegalStateException(step + " is no step of a client");
        }
    }

    private Duration left(Drain.Step step, Drain drain) {
        return Duration.ofMillis(drain.limitMs(step, nowMs()));
    }

    private long nowMs() {
        return context.clock().nanoTime() / 1_000_000;
    }

    private void sayBye(CompletableFuture<Void> answered) {
        Connection connection = link.current();
        if (connection == null) {
            answered.complete(null);
            return;
        }
        connection.request(
                FrameKind.BYE, 0, Bye.newBuilder().setReason("closed").build(), new ResponseHandler() {
                    @Override
                    public void onResponse(Frame frame) {
                        answered.complete(null);
                    }

                    @Override
                    public void onError(Error error) {
                        answered.complete(null); // the connection is of no use any more either way
                    }
                });
    }

    private void shutDown() {
        closed = true;
        try {
            context.end(this::endAll);
        } finally {
            if (own != null) {
                own.close();
            }
        }
    }

    private void endAll() {
        SpillwayException cause = closedError();
        requests.end(cause);
        List.copyOf(producers).forEach(producer -> producer.end(cause));
        List.copyOf(subscriptions).forEach(subscription -> subscription.link().end(cause));
        Map.copyOf(readersOpen).forEach((subscription, reader) -> {
            subscription.link().end(cause);
            reader.end();
        });
        link.close(Errors.of(Code.CLIENT_CLOSED, cause.what(), cause.why(), cause.nextStep()));
    }

    // ---- on the network thread

    @Override
    public void onReady(Connection connection) {
        boolean mayResend = !wasReady || context.retries().chargeReconnect();
        wasReady = true;
        publishOn(connection, mayResend);
        context.consumeOn(connection);
        subscriptions.forEach(subscription -> subscription.link().onReady());
        context.metrics().onConnected(connection.endpoint().toString());
        connected.complete(null);
    }

    private void publishOn(Connection connection, boolean mayResend) {
        context.flow().onReady(connection);
        producers.forEach(producer -> producer.onReady(mayResend));
        requests.onReady();
    }

    @Override
    public void onLost(Endpoint endpoint, Error why) {
        producers.forEach(BatchingProducer::onLost);
        context.consumeOn(null);
        subscriptions.forEach(subscription -> subscription.link().onLost());
        context.flow().onLost();
        context.metrics().onDisconnected(endpoint.toString(), SpillwayException.of(why));
    }

    @Override
    public void onDraining() {
        context.flow().drain();
        context.consumeOn(null);
        subscriptions.forEach(subscription -> subscription.link().onDraining());
    }

    @Override
    public void onPublishersMoved(Connection connection) {
        boolean mayResend = !isPublishing() || context.retries().chargeReconnect();
        producers.forEach(BatchingProducer::onLost);
        context.flow().onLost();
        publishOn(connection, mayResend);
        context.metrics().onConnected(connection.endpoint().toString());
    }

    @Override
    public void onSubscriptionsMoved(Connection connection) {
        context.consumeOn(connection);
        subscriptions.forEach(subscription -> subscription.link().onMoved());
    }

    @Override
    public boolean isPublishing() {
        return context.flow().inFlight() > 0;
    }

    @Override
    public boolean isConsuming() {
        return subscriptions.stream()
                .anyMatch(subscription -> subscription.link().isBusy());
    }

    @Override
    public void onConnectFailed(Endpoint endpoint, Error why) {
        context.metrics().onDisconnected(endpoint.toString(), SpillwayException.of(why));
    }

    @Override
    public void onRoundFailed(Error last) {
        if (!patient && !wasReady) {
            connected.completeExceptionally(SpillwayException.of(last));
        }
    }

    @Override
    public void onBackpressure(Backpressure signal) {
        context.flow().onBackpressure(signal);
    }

    @Override
    public void onToggles(ToggleUpdate update) {
        Toggles before = toggles;
        Toggles now = Toggles.of(update, context.instanceId());
        toggles = now;
        if (now.revision() != before.revision()) {
            context.onToggles(now);
        }
    }

    @Override
    public void onTurn() {
        context.flow().run();
    }

    @Override
    public void onTick(long nowNs) {
        context.flow().tick();
        producers.forEach(producer -> producer.tick(nowNs));
        subscriptions.forEach(subscription -> subscription.link().tick(nowNs));
        requests.tick(nowNs);
        refresher.tick(nowNs);
        // Without a subscription nobody is given more or less for it.
        reporter.tick(nowNs, Link.TICK_MS, subscriptions.isEmpty() ? null : link.current(), isDraining());
        brake(reporter.brakes());
        context.flow().run();
    }

    /** Nothing is left that takes work. */
    private boolean isDraining() {
        return closed
                || !subscriptions.isEmpty()
                        && subscriptions.stream()
                                .allMatch(subscription -> subscription.link().isDraining());
    }

    private void brake(boolean now) {
        if (context.isBraked() != now) {
            context.brake(now);
            subscriptions.forEach(subscription -> subscription.link().onBrake());
        }
    }
}
