package io.spillway.bench.replication;

import io.spillway.broker.replication.Deed;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftPoint;
import io.spillway.broker.replication.Replica;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A replica that keeps nothing: entries are applied, and durable, at once. */
final class Forgetful implements Replica {
    private final CompletableFuture<Boolean> led = new CompletableFuture<>();
    private volatile RaftPoint last = RaftPoint.NONE;

    /** Ends when this node leads. */
    CompletableFuture<Boolean> led() {
        return led;
    }

    @Override
    public CompletableFuture<?> apply(long term, long index, ByteBuffer entry) {
        last = new RaftPoint(term, index);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void leading(long term) {
        led.complete(true);
    }

    @Override
    public void following(long term, @Nullable Peer leader) {}

    @Override
    public RaftPoint durable() {
        return last;
    }

    @Override
    public CompletableFuture<RaftPoint> install(Peer leader) {
        return CompletableFuture.failedFuture(new IllegalStateException("a node fell behind what the log keeps"));
    }

    @Override
    public CompletableFuture<ByteBuffer> answer(ByteBuffer question) {
        return CompletableFuture.failedFuture(new IllegalStateException("there is nothing to ask"));
    }

    @Override
    public CompletableFuture<Void> perform(Deed deed, Supplier<CompletableFuture<Void>> act) {
        return act.get();
    }

    @Override
    public void stopped(String why, String next, @Nullable Throwable cause) {
        led.completeExceptionally(new IllegalStateException(why, cause));
    }
}
