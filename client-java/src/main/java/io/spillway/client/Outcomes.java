package io.spillway.client;

import java.util.concurrent.CompletableFuture;

/** Waits until a known number of things has its outcome. Confined to the network thread, except the future. */
final class Outcomes {
    private final CompletableFuture<Void> all = new CompletableFuture<>();
    private int missing = 1;

    /** One more to wait for. */
    void expect() {
        missing++;
    }

    void arrived() {
        if (--missing == 0) {
            all.complete(null);
        }
    }

    /** No more is expected; completes when all has arrived. Call once. */
    void complete() {
        arrived();
    }

    CompletableFuture<Void> future() {
        return all;
    }
}
