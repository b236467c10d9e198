package io.spillway.broker.replay;

/**
 * How far the jobs are that have not ended.
 *
 * @param records of their plans
 * @param done of these
 */
public record ReplayProgress(int running, int paused, long records, long done) {
    public static final ReplayProgress NONE = new ReplayProgress(0, 0, 0, 0);
}
