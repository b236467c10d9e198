package io.spillway.client;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import java.time.Duration;
import java.util.List;

/**
 * What a broker has said of itself, as long as it stands.
 *
 * @param reasons the first is the cause: QUOTA, QUEUE_DELAY, MEMORY, DISK_SPACE, DISK_LATENCY, REPLICATION, CPU, CONSUMER_LAG,
 *     ADMIN; none when the broker did not say
 * @param of what it was said of: "connection" for all that the client publishes, a topic, or topic/partition
 * @param scope what it concerns, in the broker's words
 * @param retryAfter how long nothing is sent
 */
public record Pressure(PressureLevel level, List<String> reasons, String of, String scope, Duration retryAfter) {
    /** The cause; NONE when the broker did not say. */
    public String reason() {
        return reasons.isEmpty() ? "NONE" : reasons.get(0);
    }

    @Override
    public String toString() {
        return level + " because of " + reason() + " for " + scope + ", retry after " + retryAfter.toMillis() + " ms";
    }

    /** The worse of two; this one when they are equal. */
    Pressure orWorse(Pressure other) {
        return other.level.compareTo(level) > 0 ? other : this;
    }

    /** The error of a batch whose time is over while this stands. */
    SpillwayException error(String what, String cause, String why) {
        Code code = switch (level) {
            case OVERLOADED -> Code.OVERLOADED;
            case READ_ONLY -> Code.READ_ONLY;
            case NORMAL, ELEVATED, THROTTLED -> Code.THROTTLED;
        };
        return SpillwayException.of(Error.newBuilder()
                .setCode(code.number())
                .setReason(code.name())
                .setMessage(what)
                .setCause("throttled, because of " + cause + " for " + scope + ": " + why + "; nothing was stored")
                .setNextStep("publish more slowly, or allow a longer delivery timeout")
                .setRetryAfterMs((int) retryAfter.toMillis())
                .putMetadata("pressure_state", level.name())
                .putMetadata("pressure_reason", cause)
                .putMetadata("pressure_scope", scope)
                .build());
    }
}
