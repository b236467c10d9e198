package io.spillway.broker.diagnose;

import io.spillway.broker.chaos.Fault;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What concerns all topics of a node.
 *
 * @param dispatchStop why nothing at all is delivered; null when that is not so
 * @param publishStop why nothing at all is accepted; null when that is not so
 * @param pressures what is above its line, the worst first
 * @param debts what is owed to quotas
 * @param shedClassMin publishes of this class and higher are refused; {@link #NO_CLASS} = of none
 * @param faults that are injected into the node
 */
public record Surroundings(
        @Nullable Diagnosis dispatchStop,
        @Nullable Diagnosis publishStop,
        List<Pressure> pressures,
        List<Debt> debts,
        int shedClassMin,
        List<Fault> faults) {
    /** Higher than any class. */
    public static final int NO_CLASS = 4;

    /** Of a node on which all is well. */
    public static final Surroundings WELL = new Surroundings(null, null, List.of(), List.of(), NO_CLASS, List.of());

    /**
     * A signal above its line.
     *
     * @param scope whose: {@code broker}, or {@code domain:} and its name
     * @param state which is asked for: ELEVATED, THROTTLED, OVERLOADED or READ_ONLY
     * @param level 1 to 4
     * @param value measured last
     * @param line at or above which that state begins
     */
    public record Pressure(String scope, String signal, String state, int level, long value, long line, String unit) {
        /** At which publishers are slowed down. */
        static final int SLOWS = 2;
        /** Which has a cause of its own. */
        static final int READ_ONLY = 4;

        String text() {
            return scope + " is " + state + " because of " + signal + ": " + value + " " + unit + ", the line is "
                    + line + " " + unit;
        }
    }

    /**
     * Somebody published more than a quota allows.
     *
     * @param scope whose quota, as {@code topic:orders}
     * @param owedBytes more than is allowed by now
     * @param waitMs until nothing is owed
     * @param isRefused so much is owed that nothing more is taken
     */
    public record Debt(String scope, long owedBytes, long bytesPerSecond, int waitMs, boolean isRefused) {
        boolean concerns(String topic) {
            return scope.equals("topic:" + topic)
                    || scope.startsWith("principal-topic:") && scope.endsWith("/" + topic);
        }

        String text() {
            return scope + " owes " + owedBytes + " bytes at " + bytesPerSecond + " bytes a second, which takes "
                    + waitMs + " ms" + (isRefused ? ", so that more is refused" : "");
        }
    }

    public Surroundings {
        pressures = List.copyOf(pressures);
        debts = List.copyOf(debts);
        faults = List.copyOf(faults);
    }
}
