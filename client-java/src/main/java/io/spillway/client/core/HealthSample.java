package io.spillway.client.core;

/**
 * What was measured at one moment. Shares are per mille; 0 where a part cannot be measured.
 *
 * @param appState what the application says of itself
 */
public record HealthSample(
        int gcCpuPm,
        Memory memory,
        int schedP99Us,
        Stalls stalls,
        Handlers handlers,
        HealthMachine.State appState,
        long appUtilPm) {
    /** Of the heap and of the whole process. */
    public record Memory(int heapPm, int memPm) {}

    /** How much of the time some, or all, tasks of the machine waited. */
    public record Stalls(int memSomePm, int memFullPm, int ioSomePm, int ioFullPm) {}

    /** Those at work, and how many there may be. */
    public record Handlers(int inflight, int maxInflight) {}
}
