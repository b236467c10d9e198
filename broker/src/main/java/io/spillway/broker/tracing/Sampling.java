package io.spillway.broker.tracing;

/**
 * Which of the traces that publishers sample get the broker's spans. The trace id decides, so that all spans of a trace are there or
 * none is, at every broker with the same ratio.
 */
final class Sampling {
    private final boolean takesAll;
    private final long below;

    /** @param ratio 0 to 1 */
    Sampling(double ratio) {
        takesAll = ratio >= 1;
        below = (long) (ratio * Long.MAX_VALUE);
    }

    /** @param randomPart the lower half of the trace id */
    boolean takes(long randomPart) {
        return takesAll || randomPart >>> 1 < below;
    }
}
