package io.spillway.broker.base;

import io.spillway.protocol.Code;
import java.util.LinkedHashMap;
import java.util.Map;
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
    private final Map<String, String> metadata = new LinkedHashMap<>();

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

    /** Adds a fact for programs, such as the limit that was reached; this exception. */
    public SpillwayException with(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    public Map<String, String> metadata() {
        return metadata;
    }

    /** One line: code, what, why, next step. */
    @Override
    public String toString() {
        return code + ": " + what() + "; cause: " + why + "; next: " + nextStep;
    }
}
