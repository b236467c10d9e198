package io.spillway.client;

/**
 * How a replay runs. Immutable; begin with {@link #because}.
 *
 * @param reason why, for the audit; not empty
 * @param rate records per second; 0 = unbounded
 * @param maxErrors the job pauses after more errors than this; 0 = no bound
 * @param maxDeadLetters the job pauses after more dead letters than this; 0 = no bound
 * @param maxLag the job pauses while the live group has a larger backlog than this; 0 = no bound
 */
public record ReplayOptions(String reason, int rate, long maxErrors, long maxDeadLetters, long maxLag) {
    public ReplayOptions {
        Arguments.notEmpty("the reason", reason);
        Arguments.between("the rate", rate, 0, Integer.MAX_VALUE);
        Arguments.between("the number of errors", maxErrors, 0, Long.MAX_VALUE);
        Arguments.between("the number of dead letters", maxDeadLetters, 0, Long.MAX_VALUE);
        Arguments.between("the lag", maxLag, 0, Long.MAX_VALUE);
    }

    /** Without bounds. */
    public static ReplayOptions because(String reason) {
        return new ReplayOptions(reason, 0, 0, 0, 0);
    }

    public ReplayOptions rate(int recordsPerSecond) {
        return new ReplayOptions(reason, recordsPerSecond, maxErrors, maxDeadLetters, maxLag);
    }

    public ReplayOptions maxErrors(long errors) {
        return new ReplayOptions(reason, rate, errors, maxDeadLetters, maxLag);
    }

    public ReplayOptions maxDeadLetters(long deadLetters) {
        return new ReplayOptions(reason, rate, maxErrors, deadLetters, maxLag);
    }

    public ReplayOptions maxLag(long records) {
        return new ReplayOptions(reason, rate, maxErrors, maxDeadLetters, records);
    }
}
