package io.spillway.broker.replication;

import static io.spillway.broker.replication.TestCluster.awaiting;
import static io.spillway.broker.replication.TestCluster.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HandoverTest {
    private final RecordingReplica replica = new RecordingReplica();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Handover handover = new Handover(replica, 10, failure::set);

    @Test
    void nothingIsHandedOverTwice() throws Exception {
        handover.startAfter(new RaftPoint(1, 4));

        handover.hand(1, 4, bytes("four"));
        handover.hand(1, 5, bytes("five"));
        handover.hand(1, 5, bytes("five"));

        assertThat(replica.texts()).containsExactly("five");
    }

    @Test
    void anInstallBeginsWhenAllIsAppliedAndHandingOverGoesOnAfterItsPoint() throws Exception {
        replica.hold();
        handover.hand(1, 0, bytes("zero"));

        CompletableFuture<Void> drained = handover.pause();
        assertThat(drained).isNotDone();
        replica.release();
        assertThat(drained).isDone();
        Thread handing = inBackground(() -> {
            handover.hand(1, 1, bytes("one"));
            handover.hand(1, 9, bytes("nine"));
        });
        awaiting("the thread that hands over waits").until(() -> handing.getState() == Thread.State.WAITING);
        handover.resumeAfter(new RaftPoint(1, 8));
        handing.join();

        assertThat(replica.texts()).containsExactly("zero", "nine");
    }

    @Test
    void whatDoesNotFitWaitsAndAClosedHandoverDropsIt() throws Exception {
        replica.hold();
        handover.hand(1, 0, bytes("eleven bytes"));
        Thread handing = inBackground(() -> handover.hand(1, 1, bytes("one")));
        awaiting("the thread that hands over waits").until(() -> handing.getState() == Thread.State.WAITING);

        handover.close();
        handing.join();

        assertThat(replica.texts()).isEqualTo(List.of("eleven bytes"));
    }

    @Test
    void anEntryThatCannotBeAppliedIsReported() throws Exception {
        handover.hand(1, 5, bytes("five"));
        handover.startAfter(RaftPoint.NONE);

        // The list refuses what it has; a handover that lost its memory would try.
        new Handover(replica, 10, failure::set).hand(1, 5, bytes("again"));

        assertThat(failure.get()).isInstanceOf(IllegalStateException.class);
    }

    private interface Handing {
        void run() throws InterruptedException;
    }

    private static Thread inBackground(Handing handing) {
        Thread thread = new Thread(() -> {
            try {
                handing.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        thread.start();
        return thread;
    }
}
