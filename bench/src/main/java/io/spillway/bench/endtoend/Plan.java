package io.spillway.bench.endtoend;

/**
 * How much is measured.
 *
 * @param rounds each runs every scenario once, after one round that only warms up; the report gives medians
 * @param seconds of publishing per scenario and round
 * @param drainRecords backlog that is drained
 * @param starts how often the broker is started to measure that
 */
record Plan(int rounds, int seconds, int drainRecords, int starts) {
    static final Plan QUICK = new Plan(3, 2, 1_000_000, 7);
    static final Plan FULL = new Plan(5, 10, 1_000_000, 7);

    /** The JIT compilers of broker and client need about this long under each load. */
    private static final int WARM_UP_SECONDS = 3;

    Plan warmUp() {
        return new Plan(1, WARM_UP_SECONDS, drainRecords, starts);
    }

    /** The same with other numbers where they are not 0. */
    Plan with(int otherRounds, int otherSeconds) {
        return new Plan(
                otherRounds == 0 ? rounds : otherRounds,
                otherSeconds == 0 ? seconds : otherSeconds,
                drainRecords,
                starts);
    }
}
