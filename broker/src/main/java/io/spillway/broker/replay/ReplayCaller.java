package io.spillway.broker.replay;

import io.spillway.protocol.v1.ReplayTarget;

/** Who asks for a replay, and what he may. Thread-safe; what is refused is thrown as PERMISSION_DENIED. */
public interface ReplayCaller {
    /** For the audit. */
    String who();

    boolean mayReplay(String topic);

    void requireReplay(String topic);

    /** @param topic where the records come from */
    void requireTarget(String topic, ReplayTarget target);
}
