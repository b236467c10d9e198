package io.spillway.broker.replay;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.shard.ReplayCommand;
import io.spillway.protocol.v1.ReplayTarget;
import java.util.List;
import java.util.function.Consumer;

/**
 * A job that delivers: a bounded group of its own in the shard, from which everything the plan does not name is taken out
 * before it may deliver. Then the shard does the work, and this follows it.
 */
final class LaneWork extends Work {
    static final int GROUP = 1;
    static final int NEW_GROUP = 2;
    /** Bounds in one command, so that its entry stays small and the shard's turn short. */
    private static final int BOUNDS_AT_ONCE = 8_192;

    private static final long LOOK_MS = 100;
    /** How the reason begins when a group pauses because too much of it goes to the dead letters. */
    private static final String BREAKER = "DLQ_BREAKER";

    private int partition;
    private int bound;
    private boolean asked;
    private long nextLookMs;
    private long nextKeepMs;
    private long keptDone = -1;

    LaneWork(JobRecord job, Ranges ranges, TopicSpec source, Shards shards, Store store, Consumer<Work> ended) {
        super(job, ranges, source, shards, store, ended);
    }

    @Override
    void open(Answer<Boolean> answer) {
        ReplayTarget target = job.wire.getTarget();
        List<ReplayCommand.Span> spans = ranges.partitions().stream()
                .map(in -> new ReplayCommand.Span(in.partition(), in.from(), in.to(), new long[0]))
                .toList();
        shards.ask(
                source,
                reply -> new ReplayCommand.OpenLane(
                        job.id(),
                        source.topicId(),
                        target.getName(),
                        target.getKind() == NEW_GROUP,
                        spans,
                        job.wire.getRate(),
                        reply),
                answer);
    }

    /** A lane that a crash left incomplete is made again. */
    @Override
    void resume() {
        if (job.prepared) {
            setActive(job.isRunning(), Answer.of(done -> {}, this::wentWrong));
            return;
        }
        asked = true;
        close(Answer.of(closed -> open(Answer.of(opened -> asked = false, this::wentWrong)), this::wentWrong));
    }

    @Override
    int step(long nowMs) {
        if (asked) {
            return 0;
        }
        if (!job.prepared) {
            prepare();
            return 1;
        }
        if (nowMs < nextLookMs) {
            return 0;
        }
        nextLookMs = nowMs + LOOK_MS;
        look(Answer.of(done -> {}, why -> wentWrong(why)));
        return 1;
    }

    private void prepare() {
        if (partition == ranges.partitions().size()) {
            asked = true;
            setActive(
                    job.isRunning(),
                    Answer.of(
                            done -> {
                                asked = false;
                                job.prepared = true;
                                wentWell();
                                keep();
                            },
                            why -> again(why)));
            return;
        }
        Ranges.InPartition in = ranges.partitions().get(partition);
        int from = 1 + bound;
        int to = Math.min(in.bounds().length - 1, from + BOUNDS_AT_ONCE);
        if (from >= to) {
            partition++;
            bound = 0;
            return;
        }
        long[] gaps = java.util.Arrays.copyOfRange(in.bounds(), from, to);
        asked = true;
        shards.ask(
                source,
                reply -> new ReplayCommand.SkipInLane(job.id(), source.topicId(), in.partition(), gaps, reply),
                Answer.<Boolean>of(
                        done -> {
                            asked = false;
                            bound += gaps.length;
                            wentWell();
                        },
                        why -> again(why)));
    }

    private void again(SpillwayException why) {
        asked = false;
        wentWrong(why);
    }

    private void look(Answer<Boolean> answer) {
        asked = true;
        shards.ask(
                source,
                (io.spillway.broker.shard.Reply<ReplayCommand.LaneFigures> reply) ->
                        new ReplayCommand.DescribeLane(job.id(), source.topicId(), reply),
                Answer.of(
                        figures -> {
                            asked = false;
                            take(figures);
                            answer.ok(true);
                        },
                        why -> {
                            asked = false;
                            answer.failed(why);
                        }));
    }

    private void take(ReplayCommand.LaneFigures figures) {
        wentWell();
        if (job.hasEnded()) {
            return;
        }
        show(figures);
        if (figures.open() == 0 && job.prepared) {
            end(JobRecord.DONE, "");
            return;
        }
        checkStops(figures.backlog());
        if (job.isRunning() && !figures.active() && figures.held().startsWith(BREAKER)) {
            pause("stopped: " + figures.held());
        }
        if (job.isRunning()) {
            job.wire.setWhy(figures.held());
        } else if (figures.active()) {
            // That it is to be held back has not reached the shard.
            setActive(false, Answer.of(done -> {}, this::wentWrong));
        }
        long nowMs = shards.nowMs();
        if (nowMs >= nextKeepMs && keptDone != job.wire.getDone()) {
            nextKeepMs = nowMs + CHECKPOINT_MS;
            keptDone = job.wire.getDone();
            keep();
        }
    }

    private void show(ReplayCommand.LaneFigures figures) {
        long done = job.wire.getRecords() - figures.open();
        job.wire
                .setOpen(figures.open())
                .setDone(done)
                .setRedelivered(done + figures.out())
                .setFailed(figures.deadLetters())
                .setAcked(Math.max(0, done - figures.deadLetters()))
                .setErrors(figures.failures());
    }

    @Override
    void setActive(boolean active, Answer<Boolean> answer) {
        shards.ask(source, reply -> new ReplayCommand.SetLane(job.id(), source.topicId(), active, reply), answer);
    }

    @Override
    void refresh(Answer<Boolean> answer) {
        if (job.prepared) {
            shards.ask(
                    source,
                    (io.spillway.broker.shard.Reply<ReplayCommand.LaneFigures> reply) ->
                            new ReplayCommand.DescribeLane(job.id(), source.topicId(), reply),
                    Answer.of(
                            figures -> {
                                if (!job.hasEnded()) {
                                    show(figures);
                                }
                                answer.ok(true);
                            },
                            answer::failed));
        } else {
            answer.ok(true);
        }
    }

    @Override
    void close(Answer<Boolean> answer) {
        shards.ask(source, reply -> new ReplayCommand.CloseLane(job.id(), source.topicId(), reply), answer);
    }
}
