package io.spillway.client;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.RetryClass;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An error a caller can act on: the message says what happened, {@link #why} its cause, {@link #nextStep} what to do. The
 * codes are the registry of {@link Code}: 100 to 899 come from a broker, 900 to 999 from this client.
 */
public final class SpillwayException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What may be done with the failed request. */
    public enum Retry {
        /** The same request fails again. */
        NEVER,
        /** Nothing was applied; the same request may succeed later. */
        SAFE,
        /** The request may have been applied. */
        UNKNOWN_OUTCOME,
        /** The request went to the wrong place or came too early; look again. */
        REFRESH
    }

    private final int code;
    private final String reason;
    private final Retry retry;
    private final Duration retryAfter;
    private final String why;
    private final String nextStep;
    private final transient Map<String, String> details;

    private SpillwayException(Error error, Retry retry, @Nullable Throwable cause) {
        super(error.getMessage(), cause);
        this.code = error.getCode();
        this.reason = error.getReason();
        this.retry = retry;
        this.retryAfter = Duration.ofMillis(error.getRetryAfterMs() & 0xffffffffL);
        this.why = error.getCause();
        this.nextStep = error.getNextStep();
        this.details = Map.copyOf(error.getMetadataMap());
    }

    static SpillwayException of(Code code, String what, String why, String nextStep) {
        return of(code, what, why, nextStep, null);
    }

    static SpillwayException of(Code code, String what, String why, String nextStep, @Nullable Throwable cause) {
        Error error = Error.newBuilder()
                .setCode(code.number())
                .setReason(code.name())
                .setMessage(what)
                .setCause(why)
                .setNextStep(nextStep)
                .build();
        return new SpillwayException(error, retry(code.retry()), cause);
    }

    /** The exception for what a broker, or the connection to it, answered. */
    static SpillwayException of(Error error) {
        Code known = Code.of(error.getCode());
        RetryClass retry =
                known == null || error.getRetry() != RetryClass.RETRY_NEVER ? error.getRetry() : known.retry();
        Error.Builder complete = error.toBuilder();
        if (error.getReason().isEmpty()) {
            complete.setReason(known == null ? "CODE_" + error.getCode() : known.name());
        }
        return new SpillwayException(complete.build(), retry(retry), null);
    }

    private static Retry retry(RetryClass retry) {
        return switch (retry) {
            case RETRY_SAFE -> Retry.SAFE;
            case RETRY_UNKNOWN_OUTCOME -> Retry.UNKNOWN_OUTCOME;
            case RETRY_REFRESH -> Retry.REFRESH;
            case RETRY_NEVER, UNRECOGNIZED -> Retry.NEVER;
        };
    }

    /** The number in the registry; see {@link Code#of}. */
    public int code() {
        return code;
    }

    /** The name in the registry, for instance TOPIC_NOT_FOUND. */
    public String reason() {
        return reason;
    }

    /** Whether this is that error. */
    public boolean is(Code other) {
        return code == other.number();
    }

    public Retry retryClass() {
        return retry;
    }

    /** Whether what was asked for may have happened all the same. */
    public boolean outcomeUnknown() {
        return retry == Retry.UNKNOWN_OUTCOME || code == Code.OUTCOME_UNKNOWN.number();
    }

    /** How long to wait before a retry; zero when the broker did not say. */
    public Duration retryAfter() {
        return retryAfter;
    }

    /** What happened, naming topic, partition, offset or endpoint. */
    public String what() {
        return Objects.requireNonNullElse(getMessage(), "");
    }

    /** The cause; may be empty. */
    public String why() {
        return why;
    }

    /** What to do next; may be empty. */
    public String nextStep() {
        return nextStep;
    }

    /** Figures that belong to the error, such as limit and size. */
    public Map<String, String> details() {
        return details;
    }

    /** One line: reason, what, why, next step. */
    @Override
    public String toString() {
        return reason + " (" + code + "): " + what() + (why.isEmpty() ? "" : "; cause: " + why)
                + (nextStep.isEmpty() ? "" : "; next: " + nextStep);
    }
}
