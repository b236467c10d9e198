package io.spillway.client;

/**
 * A replay, running or ended.
 *
 * @param topic where its records come from
 * @param startedBy client and address
 * @param why why it is paused or failed, or empty
 * @param endedMs ms since 1970; 0 while it has not ended
 * @param records of its plan
 * @param done records whose fate is decided
 * @param redelivered records that a consumer was given, or that were stored in the target
 * @param acked of those, settled as done, or stored
 * @param failed of those, dead-lettered
 * @param open records that are not settled yet
 * @param duplicates records the target topic had already, by idempotency key
 * @param errors failed deliveries, or records that could not be copied
 * @param rateNow records per second lately
 */
public record ReplayJob(
        String id,
        String planId,
        String topic,
        ReplayTarget target,
        ReplayOptions options,
        String startedBy,
        State state,
        String why,
        long startedMs,
        long endedMs,
        long records,
        long done,
        long redelivered,
        long acked,
        long failed,
        long open,
        long duplicates,
        long errors,
        int rateNow) {

    /** Where a job is in its life; the last three are for ever. */
    public enum State {
        RUNNING,
        PAUSED,
        DONE,
        CANCELLED,
        FAILED;

        public boolean ended() {
            return this == DONE || this == CANCELLED || this == FAILED;
        }
    }
}
