package io.spillway.broker.session;

import io.spillway.broker.dispatch.HealthState;
import io.spillway.broker.dispatch.Weights;
import io.spillway.protocol.v1.HealthReport;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one connection says of its health, read with caution: old reports and more than ten a second are passed over,
 * figures beyond their range are brought back into it. Confined to the connection's event loop.
 */
final class HealthReports {
    private static final int MOST_PER_WINDOW = 10;
    private static final long WINDOW_MS = 1_000;
    private static final int MOST_REASONS = 8;
    private static final int WHOLE_PM = 1_000;
    private static final List<String> REASONS =
            List.of("GC", "MEMORY", "IO_WAIT", "CPU", "QUEUE", "HANDLER_ERRORS", "SCHED_LATENCY", "MANUAL");

    private long lastSeq;
    private long windowFromMs = Long.MIN_VALUE / 2;
    private int inWindow;

    /** What members are told of it; null when it is to be passed over. */
    io.spillway.broker.dispatch.@Nullable HealthReport read(HealthReport report, int nearPm, long nowMs) {
        if (nowMs - windowFromMs >= WINDOW_MS) {
            windowFromMs = nowMs;
            inWindow = 0;
        }
        if (report.getSeq() <= lastSeq || ++inWindow > MOST_PER_WINDOW) {
            return null;
        }
        lastSeq = report.getSeq();
        int util = busy(report);
        return new io.spillway.broker.dispatch.HealthReport(
                HealthState.ofWire(report.getState()),
                reasons(report),
                util,
                Integer.toUnsignedLong(report.getRpsMilli()),
                Integer.toUnsignedLong(report.getEpsMilli()),
                report.getHandoffRequested(),
                nearPm);
    }

    /**
     * How much of what it can do a member does. Not app_util_pm, the worst of all figures: a heap that is half full whatever
     * comes would let a member that gets little count as one that can do little, and get less and less.
     */
    private static int busy(HealthReport report) {
        if (report.getCpuPm() != 0 || report.getMaxInflight() <= 0) {
            return share(report.getCpuPm());
        }
        long pm = Integer.toUnsignedLong(report.getInflight()) * WHOLE_PM / report.getMaxInflight();
        return (int) Math.min(WHOLE_PM, pm);
    }

    private static int share(int pm) {
        return pm < 0 ? WHOLE_PM : Math.min(WHOLE_PM, pm);
    }

    private static String reasons(HealthReport report) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < Math.min(MOST_REASONS, report.getReasonsCount()); i++) {
            int reason = report.getReasons(i);
            names.add(reason >= 1 && reason <= REASONS.size() ? REASONS.get(reason - 1) : "REASON_" + reason);
        }
        return String.join(", ", names);
    }

    /** What is left of the weight of a member in one zone for a broker in another; unknown zones are near. */
    static int nearPm(String own, String other, int percent) {
        boolean isFar = !own.isEmpty() && !other.isEmpty() && !own.equals(other);
        return isFar ? percent * 10 : Weights.NORMAL;
    }
}
