package io.spillway.client;

import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Metadata;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Asks the broker from time to time for the nodes of its cluster, which may have changed since the session began: a client that
 * was started with the address of a node that has left needs those of the others before it loses its connection. Confined to the
 * network thread.
 */
final class MetadataRefresher {
    private static final Requests.Request<Boolean> ASK = new Requests.Request<>(
            "ask for the nodes", FrameKind.METADATA, Metadata.getDefaultInstance(), false, frame -> true);

    private final ClientContext client;
    private final Requests requests;
    private final LongUnaryOperator random;
    private final long everyMs;
    private @Nullable CompletableFuture<Boolean> asked;
    private boolean isPlanned;
    private long dueNs;

    /** @param random gives a number from 0 to the one it is given */
    MetadataRefresher(ClientContext client, Requests requests, LongUnaryOperator random) {
        this.client = client;
        this.requests = requests;
        this.random = random;
        everyMs = client.metadataRefresh().toMillis();
    }

    void tick(long nowNs) {
        if (everyMs == 0 || client.flow().connection() == null) {
            return;
        }
        if (asked != null) {
            if (asked.isDone()) { // whatever came of it: the next one asks again
                asked = null;
                isPlanned = false;
            }
        } else if (!isPlanned) {
            isPlanned = true;
            // Clients that connected together do not ask together.
            dueNs = nowNs + (everyMs / 2 + random.applyAsLong(everyMs / 2)) * 1_000_000;
        } else if (nowNs - dueNs >= 0) {
            asked = requests.ask(ASK);
        }
    }
}
