package io.spillway.client;

import io.spillway.client.net.Connection;
import io.spillway.client.net.Endpoint;
import io.spillway.client.net.Errors;
import io.spillway.client.net.Link;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.HelloOk;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A reader with a connection of its own, to the nearest node of the cluster. Confined to the network thread. */
final class NearestReader implements Link.Listener {
    private final Link link;
    private final ClientContext context;
    private final ConnectedSubscription subscription;

    /**
     * @param link not started
     * @param onClosed told when the subscription is over
     */
    NearestReader(
            Link link,
            ClientContext context,
            SubscriptionSettings settings,
            Map<Integer, Long> startOffsets,
            Consumer<ConnectedSubscription> onClosed) {
        this.link = link;
        this.context = context;
        subscription = new ConnectedSubscription(context, settings, startOffsets, closed -> {
            onClosed.accept(closed);
            end();
        });
    }

    ConnectedSubscription subscription() {
        return subscription;
    }

    /** @param told what the client's own connection knows of the nodes; null = nothing */
    void start(@Nullable HelloOk told) {
        if (told != null) {
            link.know(told.getEndpointsList());
        }
        link.start(this);
    }

    /** Leaves the node. */
    void end() {
        link.close(Errors.of(Code.CLIENT_CLOSED, "the reader is closed", "close was called", "open a new one"));
    }

    @Override
    public void onReady(Connection connection) {
        context.consumeOn(connection);
        subscription.link().onReady();
        context.metrics().onConnected(connection.endpoint().toString());
    }

    @Override
    public void onLost(Endpoint endpoint, Error why) {
        context.consumeOn(null);
        subscription.link().onLost();
        context.metrics().onDisconnected(endpoint.toString(), SpillwayException.of(why));
    }

    @Override
    public void onDraining() {
        context.consumeOn(null);
        subscription.link().onDraining();
    }

    @Override
    public void onPublishersMoved(Connection connection) {
        context.metrics().onConnected(connection.endpoint().toString());
    }

    @Override
    public void onSubscriptionsMoved(Connection connection) {
        context.consumeOn(connection);
        subscription.link().onMoved();
    }

    @Override
    public boolean isPublishing() {
        return false;
    }

    @Override
    public boolean isConsuming() {
        return false; // a reader settles nothing: it can go on elsewhere at any time
    }

    @Override
    public void onConnectFailed(Endpoint endpoint, Error why) {
        context.metrics().onDisconnected(endpoint.toString(), SpillwayException.of(why));
    }

    @Override
    public void onRoundFailed(Error last) {
        // it goes on trying; who waits for it to open is told of the last error in the end
    }

    @Override
    public void onBackpressure(Backpressure signal) {
        // a reader is slowed down by what is not delivered to it
    }

    @Override
    public void onTurn() {
        // nothing is published here
    }

    @Override
    public void onTick(long nowNs) {
        subscription.link().tick(nowNs);
        if (subscription.link().isEnded()) {
            end();
        }
    }
}
