package io.spillway.broker.replay;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplayJob;
import io.spillway.protocol.v1.ReplayList;
import io.spillway.protocol.v1.ReplayPlan;
import io.spillway.protocol.v1.ReplaySelection;
import io.spillway.protocol.v1.ReplayStops;
import io.spillway.protocol.v1.ReplayTarget;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Replays over one shard, both stepped by hand on the thread of the test. */
final class ReplayFixture implements AutoCloseable {
    static final int GROUP = 1;
    static final int NEW_GROUP = 2;
    static final int TOPIC = 3;
    static final int ORIGIN = 4;
    static final int FILE = 5;
    private static final int MAX_TURNS = 2_000;

    final ShardFixture shard;
    /** Whether scans and jobs have to wait. */
    final Published<Boolean> held = new Published<>(false);

    private Replays replays;

    private static final class Answer implements Reply<ReplayList> {
        @Nullable
        ReplayList result;

        @Nullable
        SpillwayException refusal;

        @Override
        public void ok(ReplayList list) {
            result = list;
        }

        @Override
        public void failed(SpillwayException why) {
            refusal = why;
        }
    }

    ReplayFixture(Path directory) {
        shard = new ShardFixture(directory);
        replays = opened();
    }

    private Replays opened() {
        Audit audit = new Audit(shard.catalog(), List.of(shard.mailbox()), shard.clock, new SplittableRandom(1));
        Replays opened = new Replays(
                List.of(shard.mailbox()),
                shard.catalog(),
                audit,
                shard.clock,
                new SplittableRandom(shard.clock.nowMs()),
                held);
        opened.load();
        return opened;
    }

    /** Both end as a killed process does, and begin again. */
    void kill() {
        replays.release();
        shard.kill();
        replays = opened();
    }

    void restartOnFullDisk() throws IOException {
        replays.release();
        shard.restartOnFullDisk();
        replays = opened();
    }

    void step() {
        shard.step();
        try {
            replays.doWork(0);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    void until(BooleanSupplier condition, String what) {
        for (int turn = 0; turn < MAX_TURNS; turn++) {
            step();
            if (condition.getAsBoolean()) {
                return;
            }
        }
        throw new AssertionError("after " + MAX_TURNS + " turns there is still not: " + what);
    }

    /** Lets both work for a while. */
    void pass(long ms) {
        long endMs = shard.clock.nowMs() + ms;
        while (shard.clock.nowMs() < endMs) {
            step();
        }
    }

    private ReplayList ask(ReplayAdmin.Builder request) {
        Answer answer = new Answer();
        replays.request(request.build(), new Tester(), answer);
        until(() -> answer.result != null || answer.refusal != null, "an answer");
        if (answer.refusal != null) {
            throw answer.refusal;
        }
        return Objects.requireNonNull(answer.result);
    }

    static ReplaySelection.Builder of(String topic) {
        return ReplaySelection.newBuilder().setTopic(topic);
    }

    /** A plan that is ready, with its partitions in short. */
    ReplayPlan plan(ReplaySelection.Builder selection) {
        String id = ask(ReplayAdmin.newBuilder().setOp(Operations.PLAN).setSelection(selection))
                .getPlans(0)
                .getId();
        ReplayPlan[] plan = new ReplayPlan[1];
        until(
                () -> {
                    plan[0] = ask(ReplayAdmin.newBuilder()
                                    .setOp(Operations.STATUS)
                                    .setId(id))
                            .getPlans(0);
                    return plan[0].getState() != Plan.SCANNING;
                },
                "the plan is made");
        if (plan[0].getState() != Plan.READY) {
            throw new AssertionError("the plan failed: " + plan[0].getError());
        }
        return plan[0];
    }

    /** The plan with every range, as a client that writes a file is given it. */
    ReplayPlan exact(ReplayPlan plan) {
        return ask(start(plan, FILE, "file", ReplayStops.newBuilder())).getPlans(0);
    }

    static ReplayAdmin.Builder start(ReplayPlan plan, int kind, String name, ReplayStops.Builder stops) {
        return ReplayAdmin.newBuilder()
                .setOp(Operations.START)
                .setId(plan.getId())
                .setTarget(ReplayTarget.newBuilder().setKind(kind).setName(name))
                .setStops(stops)
                .setReason("a test");
    }

    /** Starts a plan of a whole topic; the job's id. */
    String start(String topic, int kind, String name, ReplayStops.Builder stops) {
        return start(start(plan(of(topic)), kind, name, stops));
    }

    String start(ReplayAdmin.Builder request) {
        return ask(request).getJobs(0).getId();
    }

    ReplayJob job(String id) {
        return ask(ReplayAdmin.newBuilder().setOp(Operations.STATUS).setId(id)).getJobs(0);
    }

    List<ReplayJob> jobs() {
        return ask(ReplayAdmin.newBuilder().setOp(Operations.LIST)).getJobsList();
    }

    ReplayJob pause(String id) {
        return ask(ReplayAdmin.newBuilder().setOp(Operations.PAUSE).setId(id).setReason("to look"))
                .getJobs(0);
    }

    ReplayJob resume(String id) {
        return ask(ReplayAdmin.newBuilder().setOp(Operations.RESUME).setId(id)).getJobs(0);
    }

    /** The job once it is in this state. */
    ReplayJob awaited(String id, int state) {
        until(() -> job(id).getState() == state, "state " + state + " of " + id);
        return job(id);
    }

    /** Settles all that a member has got, in the order it came. */
    int settle(TestMember member, AckItem.Builder how) {
        List<TestMember.Delivered> taken = member.take();
        taken.forEach(record -> shard.settle(member, record, how));
        return taken.size();
    }

    /** A member's acks until a job is done. */
    ReplayJob ackUntilDone(String id, TestMember member) {
        until(
                () -> {
                    settle(member, AckItem.newBuilder());
                    return job(id).getState() == JobRecord.DONE;
                },
                id + " is done");
        return job(id);
    }

    @Override
    public void close() {
        replays.release();
        shard.close();
    }

    /** Who may do everything. */
    private static final class Tester implements ReplayCaller {
        @Override
        public String who() {
            return "tester";
        }

        @Override
        public boolean mayReplay(String topic) {
            return true;
        }

        @Override
        public void requireReplay(String topic) {}

        @Override
        public void requireTarget(String topic, io.spillway.protocol.v1.ReplayTarget target) {}
    }
}
