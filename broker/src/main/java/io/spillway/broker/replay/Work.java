package io.spillway.broker.replay;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplayStops;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a live job does, in steps of the replay thread. {@link #open} makes it possible, {@link #resume} lets it go
 * on after a restart, {@link #doWork} is called until the job has ended. Confined to the replay thread.
 */
abstract class Work {
    private static final Logger LOG = LoggerFactory.getLogger(Work.class);
    static final long CHECKPOINT_MS = 500;
    /** How long what goes wrong for a time may do so before the job pauses. */
    private static final long PATIENCE_MS = 30_000;

    private static final long RETRY_MS = 500;

    final JobRecord job;
    final Ranges ranges;
    final TopicSpec source;
    final Shards shards;
    private final Store store;
    /** Told once the job has ended and everything is given back. */
    private final Consumer<Work> ended;

    private final Rate rate = new Rate();
    private long failingSinceMs = -1;
    private long notBeforeMs;
    private boolean keeping;
    /** Whether something has changed since the record was written that is on its way. */
    private boolean keepsAgain;

    Work(JobRecord job, Ranges ranges, TopicSpec source, Shards shards, Store store, Consumer<Work> ended) {
        this.job = job;
        this.ranges = ranges;
        this.source = source;
        this.shards = shards;
        this.store = store;
        this.ended = ended;
    }

    /** Takes what the job needs; refuses when that cannot be had. */
    abstract void open(Answer<Boolean> answer);

    /** Goes on after a restart, where the record says. */
    abstract void resume();

    /** One step; how much was done. */
    abstract int step(long nowMs);

    /** Holds back or goes on, after the job's state has changed. */
    abstract void setActive(boolean active, Answer<Boolean> answer);

    /** Takes up the newest figures. */
    abstract void refresh(Answer<Boolean> answer);

    /** Gives back what {@link #open} took. */
    abstract void close(Answer<Boolean> answer);

    /** Gives back memory; the job goes on when the broker starts again. */
    void release() {}

    final int doWork(long nowMs) {
        if (job.hasEnded()) {
            return 0;
        }
        job.wire.setRateNow(rate.of(job.wire.getDone(), nowMs));
        return nowMs < notBeforeMs ? 0 : step(nowMs);
    }

    /** Something went right. */
    final void wentWell() {
        failingSinceMs = -1;
    }

    /** Something went wrong: again a little later when that may help, pausing after a while, failing when it cannot. */
    final void wentWrong(SpillwayException why) {
        long nowMs = shards.nowMs();
        if (job.hasEnded()) {
            return;
        }
        boolean forGood = switch (why.code()) {
            case TOPIC_NOT_FOUND, GROUP_NOT_FOUND, NOT_FOUND, POSITION_OUT_OF_RANGE -> true;
            default -> false;
        };
        if (forGood) {
            end(JobRecord.FAILED, why.toString());
            return;
        }
        failingSinceMs = failingSinceMs < 0 ? nowMs : failingSinceMs;
        notBeforeMs = nowMs + Math.max(RETRY_MS, why.retryAfterMs());
        if (job.isRunning() && nowMs - failingSinceMs >= PATIENCE_MS) {
            failingSinceMs = -1;
            pause("it cannot go on: " + why);
        }
    }

    /** Pauses when a stop condition is met. */
    final void checkStops(long backlog) {
        ReplayStops stops = job.wire.getStops();
        if (!job.isRunning()) {
            return;
        }
        if (hasTooManyErrors(0)) {
            pause("stopped: " + job.recentErrors() + " errors, allowed are " + stops.getErrors());
        } else if (stops.getDeadLetters() > 0 && job.recentDeadLetters() > stops.getDeadLetters()) {
            pause("stopped: " + job.recentDeadLetters() + " dead letters, allowed are " + stops.getDeadLetters());
        } else if (stops.getConsumerLag() > 0 && backlog > stops.getConsumerLag()) {
            pause("stopped: a backlog of " + backlog + " records, allowed are " + stops.getConsumerLag());
        }
    }

    /** @param more errors that are not in the job's record yet */
    final boolean hasTooManyErrors(long more) {
        long allowed = job.wire.getStops().getErrors();
        return allowed > 0 && job.recentErrors() + more > allowed;
    }

    /** Pauses by itself. */
    final void pause(String why) {
        job.wire.setState(JobRecord.PAUSED).setWhy(why);
        LOG.warn(
                "event=replay_paused job={} topic={} why=\"{}\" next=\"spillway replay resume {}\"",
                job.id(),
                job.wire.getTopic(),
                why,
                job.id());
        setActive(false, Answer.of(done -> keep(), e -> LOG.error("event=replay_not_held job={} {}", job.id(), e)));
    }

    /** Writes the record; a failure is logged and made good by the next one. */
    final void keep() {
        if (keeping) {
            keepsAgain = true;
            return;
        }
        keeping = true;
        store.keep(job, Answer.of(done -> kept(), why -> {
            LOG.warn("event=replay_not_kept job={} {}", job.id(), why);
            kept();
        }));
    }

    private void kept() {
        keeping = false;
        if (keepsAgain) {
            keepsAgain = false;
            keep();
        }
    }

    /** Ends the job: its record first, so that it is not done again, then what it took. */
    final void end(int state, String why) {
        job.wire.setState(state).setWhy(why).setEndedUnixMs(shards.nowMs()).setRateNow(0);
        LOG.info(
                "event=replay_ended job={} topic={} state={} done={} records={} why=\"{}\"",
                job.id(),
                job.wire.getTopic(),
                state,
                job.wire.getDone(),
                job.wire.getRecords(),
                why);
        store.keep(job, Answer.of(done -> giveBack(), e -> {
            LOG.error("event=replay_end_not_kept job={} {}", job.id(), e);
            giveBack();
        }));
    }

    private void giveBack() {
        close(Answer.of(done -> ended.accept(this), why -> {
            if (why.code() != Code.TOPIC_NOT_FOUND && why.code() != Code.NOT_FOUND) {
                LOG.error(
                        "event=replay_not_given_back job={} next=\"it is when the broker starts again\" {}",
                        job.id(),
                        why);
            }
            ended.accept(this);
        }));
    }

    /** Records per second over the last seconds. */
    private static final class Rate {
        private static final long WINDOW_MS = 1_000;
        private long sinceMs = -1;
        private long doneThen;
        private int now;

        int of(long done, long nowMs) {
            if (sinceMs < 0) {
                sinceMs = nowMs;
                doneThen = done;
            } else if (nowMs - sinceMs >= WINDOW_MS) {
                now = (int) Math.min(Integer.MAX_VALUE, Math.max(0, done - doneThen) * 1000 / (nowMs - sinceMs));
                sinceMs = nowMs;
                doneThen = done;
            }
            return now;
        }
    }
}
