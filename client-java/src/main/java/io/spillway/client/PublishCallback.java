package io.spillway.client;

import org.jspecify.annotations.Nullable;

/** Hears the outcome of one published record, exactly once, on the client's network thread: must not block. */
@FunctionalInterface
public interface PublishCallback {
    /** Exactly one of the two is not null. */
    void onOutcome(@Nullable PublishAck ack, @Nullable SpillwayException error);
}
