package io.spillway.client;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.spillway.client.net.Clock;
import io.spillway.client.net.Connection;
import io.spillway.client.net.Link;
import io.spillway.protocol.Code;
import io.spillway.protocol.Limits;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.MetadataOk;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What the parts of one client share. Thread-safe; flow and retries are confined to the network thread. */
final class ClientContext {
    private static final Duration FINISH_TIMEOUT = Duration.ofSeconds(1);

    private final ClientSettings settings;
    private final Workload work = new Workload();
    private final EventLoop loop;
    private final Clock clock;
    private final Link link;
    private final PublishFlow flow;
    private final Retries retries;
    private @Nullable Connection consuming;
    private boolean braked;
    private volatile boolean ended;

    ClientContext(ClientSettings settings, Link link, Clock clock, Retries retries) {
        this.settings = settings;
        this.loop = link.loop();
        this.clock = clock;
        this.link = link;
        this.retries = retries;
        flow = new PublishFlow(loop, clock, settings.metrics(), this::onPressure);
    }

    /** The same over another link on the same network thread. */
    ClientContext over(Link other) {
        return new ClientContext(settings, other, clock, retries);
    }

    String clientName() {
        return settings.name();
    }

    Duration requestTimeout() {
        return settings.timing().requestTimeout();
    }

    /** Zero: never. */
    Duration metadataRefresh() {
        return settings.timing().metadataRefresh();
    }

    /** Every answer to a request for metadata names the nodes. On the network thread. */
    void onMetadata(MetadataOk ok) {
        link.know(ok.getEndpointsList());
    }

    EventLoop loop() {
        return loop;
    }

    ByteBufAllocator allocator() {
        return PooledByteBufAllocator.DEFAULT;
    }

    Clock clock() {
        return clock;
    }

    PublishFlow flow() {
        return flow;
    }

    /** The connection on which subscriptions may be opened, or null. On the network thread. */
    @Nullable
    Connection consuming() {
        return consuming;
    }

    void consumeOn(@Nullable Connection connection) {
        consuming = connection;
    }

    Retries retries() {
        return retries;
    }

    ClientMetrics metrics() {
        return settings.metrics();
    }

    /** On the network thread. */
    ByteString instanceId() {
        return settings.instanceId();
    }

    void onToggles(Toggles changed) {
        try {
            settings.onToggles().accept(changed);
        } catch (RuntimeException e) {
            Callbacks.threw(settings.onToggles(), e);
        }
    }

    void onPressure(Pressure changed) {
        metrics().onPressure(changed);
        try {
            settings.onPressure().accept(changed);
        } catch (RuntimeException e) {
            Callbacks.threw(settings.onPressure(), e);
        }
    }

    HealthReporter.Settings health() {
        return settings.health();
    }

    Workload work() {
        return work;
    }

    /** Whether the client has no memory for more. On the network thread. */
    boolean isBraked() {
        return braked;
    }

    void brake(boolean now) {
        braked = now;
    }

    /** Tells the endpoint's breaker how a call ended; {@code error} is null for a success. On the network thread. */
    void onOutcome(@Nullable Error error, long sentNs) {
        Code code = error == null ? null : Code.of(error.getCode());
        link.onOutcome(error == null ? null : code == null ? Code.Breaker.IGNORE : code.breaker(), sentNs);
    }

    boolean isConnected() {
        return link.isConnected();
    }

    String disconnectedBecause() {
        return "there is no connection: " + SpillwayException.of(link.lastError());
    }

    int maxBatchBytes() {
        HelloOk hello = link.hello();
        return hello == null || hello.getMaxBatch() <= 0
                ? Limits.MAX_BATCH_BYTES
                : Math.min(Limits.MAX_BATCH_BYTES, hello.getMaxBatch());
    }

    int maxRecordBytes() {
        HelloOk hello = link.hello();
        return hello == null || hello.getMaxRecord() <= 0
                ? Limits.MAX_RECORD_BYTES
                : Math.min(Limits.MAX_RECORD_BYTES, hello.getMaxRecord());
    }

    /** Runs the task on the network thread. Throws CLIENT_CLOSED when that is gone, or the client has ended. */
    void onNetworkThread(Runnable task) {
        if (ended) {
            throw closed(null);
        }
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            throw closed(e);
        }
    }

    private static SpillwayException closed(@Nullable Throwable cause) {
        return SpillwayException.of(
                Code.CLIENT_CLOSED, "the client is closed", "close was called", "build a new one", cause);
    }

    /** Runs the client's last task on the network thread, which may go on for other clients, and waits for its end for 1 s at most. */
    void end(Runnable last) {
        Future<?> end;
        try {
            end = loop.submit(last);
        } catch (RejectedExecutionException e) {
            throw closed(e);
        }
        ended = true;
        end.awaitUninterruptibly(FINISH_TIMEOUT.toMillis());
        if (end.cause() != null) {
            throw new IllegalStateException("the client's end failed", end.cause());
        }
    }

    /** Runs the last task of something that ends there, and waits until it is done. */
    void finishOnNetworkThread(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        onNetworkThread(() -> {
            task.run();
            done.complete(null);
        });
        await(done, FINISH_TIMEOUT, "closing");
    }

    /** Blocking calls on the network thread would wait for themselves. */
    void refuseOnNetworkThread(String call) {
        if (loop.inEventLoop()) {
            throw Arguments.invalid(
                    call + " was called on the client's network thread",
                    "it blocks, and what it waits for happens on that thread");
        }
    }

    /**
     * Waits for a result. Throws what it failed with; null when it is not there in time. An interrupt ends the wait with
     * OUTCOME_UNKNOWN and stays set.
     */
    <T> @Nullable Done<T> await(CompletableFuture<T> future, Duration timeout, String what) {
        try {
            return new Done<>(future.get(Math.max(0, timeout.toNanos()), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw SpillwayException.of(
                    Code.OUTCOME_UNKNOWN,
                    "the wait for " + what + " was interrupted",
                    "the waiting thread was interrupted",
                    "it may still happen",
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SpillwayException failure) {
                throw failure;
            }
            throw new IllegalStateException(what + " failed unexpectedly", e.getCause());
        }
    }

    /** A result that is there; its value may be null. */
    record Done<T>(T value) {}
}
