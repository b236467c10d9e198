package io.spillway.client;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The future of one published record. Thread-safe. */
final class AckFuture extends CompletableFuture<PublishAck> implements PublishCallback {
    @Override
    public void onOutcome(@Nullable PublishAck ack, @Nullable SpillwayException error) {
        if (error != null) {
            completeExceptionally(error);
        } else {
            complete(ack);
        }
    }

    /** Dependent stages need no batch to call them. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
