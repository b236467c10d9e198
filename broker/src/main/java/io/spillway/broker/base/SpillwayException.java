package io.spillway.broker.base;

import io.spillway.protocol.Code;
import org.jspecify.annotations.Nullable;

/**
 * An error a user can act on: what happened (the message, naming topic, partition, offset or path), why, and what to do
 * next. {@code retryAfterMs} is 0 when waiting does not help or its length is unknown.
 */
public final class SpillwayException extends RuntimeException {
    private final Code code;
    private final String why;
    private final String nextStep;
    private final int retryAfterMs;

    public SpillwayException(Code code, String what, String why, String nextStep) {
        this(code, what, why, nextStep, 0, null);
    }

    public SpillwayException(
            Code code, String what, String why, String nextStep, int retryAfterMs, @Nullable Throwable cause) {
        super(what, cause);
        this.code = code;
        this.why = why;
        this.nextStep = nextStep;
        this.retryAfterMs = retryAfterMs;
    }

    public Code code() {
        return code;
    }

    public String what() {
        return String.valueOf(getMessage());
    }

    public String why() {
        return why;
    }

    public String nextStep() {
        return nextStep;
    }

    public int retryAfterMs() {
        return retryAfterMs;
    }

    /** One line: code, what, why, next step. */
    @Override
    public String toString() {
        return code + ": " + what() + "; cause: " + why + "; next: " + nextStep;
    }
}
