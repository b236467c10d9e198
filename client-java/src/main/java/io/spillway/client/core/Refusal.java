package io.spillway.client.core;

import io.spillway.protocol.Code;
import org.jspecify.annotations.Nullable;

/**
 * Why an attempt to connect failed.
 *
 * @param code null when it is of a newer broker
 * @param redirect where the leader is; empty = not said
 * @param retryAfterMs the pause that the broker asks for, 0 = none
 */
public record Refusal(@Nullable Code code, String redirect, long retryAfterMs) {
    /** The broker is well, but does not lead. */
    boolean isOfFollower() {
        return code == Code.NOT_LEADER || code == Code.LEADER_ELECTION;
    }

    /** Only another configuration can mend it. */
    boolean isLasting() {
        return code == Code.UNSUPPORTED_VERSION
                || code == Code.UNSUPPORTED_FEATURE
                || code == Code.UNAUTHENTICATED
                || code == Code.PERMISSION_DENIED;
    }
}
