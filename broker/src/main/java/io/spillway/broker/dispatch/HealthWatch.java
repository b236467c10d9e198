package io.spillway.broker.dispatch;

import java.util.ArrayList;
import java.util.List;

/**
 * Weighs the members of one group: who gets how much, who is ejected, who comes back. At most half of them are ejected and
 * one always stays; when less than half could take anything, ejections are ignored.
 *
 * <p>Confined to the shard thread.
 */
public final class HealthWatch {
    /** Hears of each change, once. */
    public interface Listener {
        /**
         * @param what the state that was left and the one entered
         * @param why what led to it
         * @param next what happens now
         */
        void onChange(Member member, String what, String why, String next);
    }

    private static final long WEIGH_MS = 1_000;
    private static final long INTERVAL_MS = 10_000;
    private static final int COMPARED_MEMBERS = 5;
    private static final int COMPARED_OUTCOMES = 100;
    private static final double OUTLIER = 1.9;

    private final List<Member> members;
    private final Listener listener;
    private long nextWeighMs;
    private long nextIntervalMs;
    private boolean weighed;

    HealthWatch(List<Member> members, Listener listener) {
        this.members = members;
        this.listener = listener;
    }

    /** Whether members differ; while they do not, they have their turns one after the other. */
    boolean isWeighed() {
        return weighed;
    }

    void report(Member member, HealthReport report, long nowMs) {
        HealthState before = member.health().report(report, nowMs);
        if (before != null) {
            changed(member, before, report.reasons());
        }
        weigh(nowMs);
    }

    private void changed(Member member, HealthState before, String why) {
        HealthState now = member.health().state();
        String next = now == HealthState.READY
                ? "its share grows for 30 s"
                : now == HealthState.DEGRADED
                        ? "it gets a quarter of its share"
                        : "it gets nothing until it reports better";
        String unsaid = now == HealthState.READY ? "its reports are better" : "it reports that";
        listener.onChange(member, before + " to " + now, why.isEmpty() ? unsaid : why, next);
    }

    /** What time alone brings about; whether somebody's weight may have changed. */
    boolean tick(long nowMs) {
        if (nowMs < nextWeighMs) {
            return false;
        }
        boolean intervalEnds = nowMs >= nextIntervalMs;
        nextWeighMs = nowMs + WEIGH_MS;
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            HealthState before = member.health().expire(nowMs);
            if (before != null) {
                changed(member, before, "it has not reported for " + MemberHealth.EXPIRES_MS / 1_000 + " s");
            }
            member.forgetServed();
            judge(member, intervalEnds, nowMs);
        }
        if (intervalEnds) {
            nextIntervalMs = nowMs + INTERVAL_MS;
            ejectOutliers(nowMs);
            members.forEach(member -> member.health().outcomes().intervalEnded());
        }
        weigh(nowMs);
        return true;
    }

    private void judge(Member member, boolean intervalEnds, long nowMs) {
        Outcomes outcomes = member.health().outcomes();
        if (outcomes.probe(nowMs)) {
            listener.onChange(member, "EJECTED to PROBING", "its time is over", "it gets one record at a time");
        } else if (outcomes.readmit()) {
            member.health().slowStart(nowMs);
            listener.onChange(member, "PROBING to READY", "it accepted 3 records", "its share grows for 30 s");
        } else if (!outcomes.isOut()) {
            String fault = outcomes.fault(intervalEnds);
            if (!fault.isEmpty()) {
                eject(member, fault, nowMs);
            }
        }
    }

    /** As gRFC A50: who succeeds much less often than the others do. */
    private void ejectOutliers(long nowMs) {
        List<Member> compared = new ArrayList<>();
        double sum = 0;
        for (Member member : members) {
            long success = member.health().outcomes().successPm(COMPARED_OUTCOMES);
            if (success >= 0 && !member.health().outcomes().isOut()) {
                compared.add(member);
                sum += success;
            }
        }
        if (compared.size() < COMPARED_MEMBERS) {
            return;
        }
        double mean = sum / compared.size();
        double squares = 0;
        for (Member member : compared) {
            squares += Math.pow(member.health().outcomes().successPm(COMPARED_OUTCOMES) - mean, 2);
        }
        double least = mean - OUTLIER * Math.sqrt(squares / compared.size());
        for (Member member : compared) {
            long success = member.health().outcomes().successPm(COMPARED_OUTCOMES);
            if (success < least) {
                eject(member, success + " of 1000 records succeed, of others " + (long) mean, nowMs);
            }
        }
    }

    private void eject(Member member, String why, long nowMs) {
        int out = 1;
        for (Member other : members) {
            out += other.health().outcomes().isOut() ? 1 : 0;
        }
        boolean wasProbing = member.health().outcomes().isProbing();
        if (out * 2 > members.size() && !wasProbing) {
            return;
        }
        member.health().outcomes().eject(why, nowMs);
        long seconds = (member.health().outcomes().outUntilMs() - nowMs) / 1_000;
        listener.onChange(
                member,
                (wasProbing ? "PROBING" : "READY") + " to EJECTED",
                why,
                "it gets nothing for " + seconds + " s");
    }

    /** Somebody came or went, or said something. */
    void weigh(long nowMs) {
        long sum = 0;
        int known = 0;
        int able = 0;
        boolean notable = false;
        for (int i = 0; i < members.size(); i++) {
            MemberHealth health = members.get(i).health();
            long load = health.load(nowMs);
            sum += load;
            known += load > 0 ? 1 : 0;
            able += health.state().factorPm() > 0 && !health.outcomes().isOut() ? 1 : 0;
            notable |= health.isNotable(nowMs);
        }
        boolean panic = able * 2 < members.size();
        for (int i = 0; i < members.size(); i++) {
            members.get(i).health().weigh(known == 0 ? 0 : sum / known, panic, nowMs);
        }
        weighed = notable;
    }
}
