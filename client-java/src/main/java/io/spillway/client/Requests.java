package io.spillway.client;

import com.google.protobuf.MessageLite;
import io.spillway.client.net.Clock;
import io.spillway.client.net.Connection;
import io.spillway.client.net.Errors;
import io.spillway.client.net.ResponseHandler;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.MetadataOk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Requests that stand for themselves: sent when there is a connection, repeated when that is safe, failed at their
 * deadline. Each is read-only or carries a key by which the broker knows a repetition. {@link #call} may be used on any
 * thread; the rest is confined to the network thread.
 */
final class Requests {
    private static final long ATTEMPT_TIMEOUT_NS = 3_000_000_000L;

    private final ClientContext client;
    private final Clock clock;
    private final List<Call<?>> open = new ArrayList<>();

    Requests(ClientContext client) {
        this.client = client;
        clock = client.clock();
    }

    /**
     * What to ask.
     *
     * @param what for messages, for instance "describe topic orders"
     * @param changes whether it changes something, so that its outcome may be unknown
     * @param reader makes the result of the answer, on the network thread
     */
    record Request<T>(String what, FrameKind kind, MessageLite header, boolean changes, Function<Frame, T> reader) {}

    /** Sends it and waits for the answer, up to the client's request timeout. Throws what went wrong. */
    <T> T call(Request<T> request) {
        return call(request, client.requestTimeout());
    }

    <T> T call(Request<T> request, Duration timeout) {
        client.refuseOnNetworkThread(request.what);
        Call<T> call = new Call<>(request, clock.nanoTime() + timeout.toNanos(), timeout.toMillis());
        client.onNetworkThread(() -> {
            open.add(call);
            call.send();
        });
        var done = client.await(call.result, timeout.plusMillis(500), request.what);
        if (done == null) {
            throw call.late(true);
        }
        return done.value();
    }

    /** The same on the network thread, where the result completes, too. */
    <T> CompletableFuture<T> ask(Request<T> request) {
        long timeoutMs = client.requestTimeout().toMillis();
        Call<T> call = new Call<>(request, clock.nanoTime() + timeoutMs * 1_000_000, timeoutMs);
        open.add(call);
        call.send();
        return call.result;
    }

    void onReady() {
        List.copyOf(open).forEach(Call::send);
    }

    void tick(long nowNs) {
        for (Call<?> call : List.copyOf(open)) {
            call.tick(nowNs);
        }
    }

    void end(SpillwayException cause) {
        for (Call<?> call : List.copyOf(open)) {
            call.fail(cause);
        }
    }

    /** One request until its result. */
    private final class Call<T> implements ResponseHandler {
        private final Request<T> request;
        private final long deadlineNs;
        private final long timeoutMs;
        private final CompletableFuture<T> result = new CompletableFuture<>();
        private @Nullable Connection askedOn;
        private int correlation;
        private int failures;
        private int retryCost;
        private long sentNs;
        private long notBeforeNs;
        private boolean maybeDone;
        private @Nullable Error lastError;

        Call(Request<T> request, long deadlineNs, long timeoutMs) {
            this.request = request;
            this.deadlineNs = deadlineNs;
            this.timeoutMs = timeoutMs;
            notBeforeNs = clock.nanoTime();
        }

        void send() {
            Connection connection = client.flow().connection();
            if (askedOn == null && connection != null && clock.nanoTime() - notBeforeNs >= 0) {
                askedOn = connection;
                sentNs = clock.nanoTime();
                maybeDone = true;
                correlation = connection.request(request.kind, 0, request.header, this);
            }
        }

        @Override
        public void onResponse(Frame frame) {
            try {
                finish();
                client.retries().onSuccess(retryCost);
                client.onOutcome(null, sentNs);
                if (request.kind == FrameKind.METADATA) {
                    client.onMetadata(frame.header(MetadataOk.parser()));
                }
                result.complete(request.reader.apply(frame));
            } catch (ProtocolException e) {
                result.completeExceptionally(SpillwayException.of(
                        Code.MALFORMED_FRAME,
                        "the answer to " + request.what + " cannot be read",
                        String.valueOf(e.getMessage()),
                        "check that client and broker are of compatible releases"));
            }
        }

        @Override
        public void onError(Error error) {
            boolean lost = askedOn != null && !askedOn.isOpen();
            askedOn = null;
            lastError = error;
            if (lost) {
                return; // sent again with the next connection
            }
            failures += Retries.waitsForLeader(error) ? 0 : 1;
            client.onOutcome(error, sentNs);
            Retries.Verdict verdict =
                    client.retries().afterAdmin(error, failures, (deadlineNs - clock.nanoTime()) / 1_000_000);
            maybeDone = verdict.outcomeUnknown();
            if (verdict.again()) {
                retryCost = verdict.cost();
                notBeforeNs = clock.nanoTime() + verdict.delayMs() * 1_000_000;
            } else {
                fail(SpillwayException.of(verdict.error()));
            }
        }

        void tick(long nowNs) {
            if (deadlineNs - nowNs < 0) {
                fail(late(false));
            } else if (askedOn != null && nowNs - sentNs > ATTEMPT_TIMEOUT_NS) {
                askedOn.forget(correlation);
                onError(Errors.of(
                        Code.ATTEMPT_TIMEOUT,
                        "no answer to " + request.what,
                        "none came within " + ATTEMPT_TIMEOUT_NS / 1_000_000 + " ms",
                        "look at the broker's health"));
            } else {
                send();
            }
        }

        /** @param busy whether the network thread was too busy to say so itself */
        SpillwayException late(boolean busy) {
            boolean unknown = request.changes && (maybeDone || busy);
            return SpillwayException.of(
                    unknown ? Code.OUTCOME_UNKNOWN : Code.DEADLINE_EXCEEDED,
                    request.what + " has no answer after " + timeoutMs + " ms",
                    why(busy),
                    unknown
                            ? "look whether it was done before doing it again"
                            : "try again, or allow a longer request timeout");
        }

        private String why(boolean busy) {
            if (busy) {
                return "the client's network thread is busy, perhaps in a callback";
            }
            if (client.flow().connection() == null) {
                return client.disconnectedBecause();
            }
            return lastError == null
                    ? "the broker did not answer"
                    : SpillwayException.of(lastError).toString();
        }

        void fail(SpillwayException cause) {
            if (askedOn != null) {
                askedOn.forget(correlation);
            }
            finish();
            result.completeExceptionally(cause);
        }

        private void finish() {
            askedOn = null;
            open.remove(this);
        }
    }
}
