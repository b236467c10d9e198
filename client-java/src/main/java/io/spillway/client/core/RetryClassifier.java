package io.spillway.client.core;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.RetryClass;
import org.jspecify.annotations.Nullable;

/** What to do about an error: the class in the payload decides, then the registry, then never. Driven by vectors/retry_classify.json. */
public final class RetryClassifier {
    /** What the error befell. */
    public enum Kind {
        PUBLISH,
        READ,
        ACK,
        CREDIT
    }

    /** What to do. */
    public enum Decision {
        FAIL,
        RETRY,
        /** Look for the right place first. */
        REFRESH_THEN_RETRY,
        /** It may have happened, and doing it again could do it twice. */
        FAIL_OUTCOME_UNKNOWN
    }

    private RetryClassifier() {}

    /** @param payload class in the error itself, RETRY_NEVER when it says none; @param code null when unknown here */
    public static Decision classify(RetryClass payload, @Nullable Code code, Kind kind, boolean idempotent) {
        RetryClass retry = payload != RetryClass.RETRY_NEVER || code == null ? payload : code.retry();
        return switch (retry) {
            case RETRY_SAFE -> Decision.RETRY;
            case RETRY_REFRESH -> Decision.REFRESH_THEN_RETRY;
            case RETRY_UNKNOWN_OUTCOME ->
                idempotent || kind != Kind.PUBLISH ? Decision.RETRY : Decision.FAIL_OUTCOME_UNKNOWN;
            case RETRY_NEVER, UNRECOGNIZED -> Decision.FAIL;
        };
    }

    /** Which backoff an error asks for; TRANSIENT for codes of a newer peer. */
    public static Code.Backoff backoff(@Nullable Code code) {
        return code == null || code.backoff() == Code.Backoff.NONE ? Code.Backoff.TRANSIENT : code.backoff();
    }
}
