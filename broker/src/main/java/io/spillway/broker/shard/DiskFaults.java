package io.spillway.broker.shard;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.chaos.Fault;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.chaos.Faults;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What injected faults do to syncs of one log. {@link #beforeSync} belongs to the thread that syncs; the rest is thread-safe. */
public final class DiskFaults {
    /** One that is ended lets go of who waits after so long. */
    private static final long STEP_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Clock clock;
    private final SplittableRandom random;
    private final Published<Faults> now = new Published<>(Faults.NONE);

    public DiskFaults(Clock clock) {
        this.clock = clock;
        random = new SplittableRandom(clock.nanoTime());
    }

    public void set(Faults injected) {
        now.set(injected);
    }

    /** Takes as long as a slow disk, or fails as one that is broken. */
    public void beforeSync() throws IOException {
        Faults injected = now.get();
        if (injected == Faults.NONE) {
            return;
        }
        Fault slow = injected.ofNode(FaultKind.SLOW_DISK, random);
        if (slow != null) {
            await(slow);
        }
        Fault failed = injected.ofNode(FaultKind.FAILED_SYNC, random);
        if (failed != null) {
            throw new IOException("the sync was made to fail: " + failed.text());
        }
    }

    private void await(Fault slow) {
        long untilNs =
                clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(slow.what().delayMs());
        long leftNs = untilNs - clock.nanoTime();
        while (leftNs > 0 && now.get().has(slow.id()) && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(this, Math.min(leftNs, STEP_NS));
            leftNs = untilNs - clock.nanoTime();
        }
    }
}
