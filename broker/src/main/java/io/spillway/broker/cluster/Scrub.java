package io.spillway.broker.cluster;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Pace;
import io.spillway.broker.log.LogCheck;
import io.spillway.broker.log.LogProblem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the closed segments against their checksums, once after the start and then every {@value #EVERY_HOURS} hours, at no
 * more than {@value #BYTES_PER_SECOND} bytes a second: damage that nobody reads is found while another node still has a
 * copy. Thread-safe; the thread {@code spillway-scrub} reads.
 */
final class Scrub implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Scrub.class);
    private static final long EVERY_HOURS = 6;
    private static final long BYTES_PER_SECOND = 64L << 20;
    private static final long PAUSE_MS = 20;

    /** Told what was found. */
    interface Findings {
        /** @param generation the log that was read, as it was counted when that began */
        void found(long generation, List<String> problems);
    }

    private final Path log;
    private final Clock clock;
    private final Supplier<Long> generation;
    private final Findings findings;
    private final ScheduledThreadPoolExecutor worker =
            new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "spillway-scrub"));

    Scrub(Path log, Clock clock, Supplier<Long> generation, Findings findings) {
        this.log = log;
        this.clock = clock;
        this.generation = generation;
        this.findings = findings;
        worker.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
    }

    void start() {
        worker.scheduleWithFixedDelay(this::run, 0, TimeUnit.HOURS.toSeconds(EVERY_HOURS), TimeUnit.SECONDS);
    }

    private void run() {
        long before = generation.get();
        try {
            List<LogProblem> problems = LogCheck.closedSegments(log, paced());
            findings.found(before, problems.stream().map(Scrub::words).toList());
        } catch (IOException | RuntimeException e) {
            LOG.warn("event=scrub_failed directory={} next=\"the next one comes in {} hours\"", log, EVERY_HOURS, e);
        }
    }

    private static String words(LogProblem problem) {
        return problem.kind() + ": segment " + problem.segment() + " at " + problem.position() + ": " + problem.what();
    }

    private LongConsumer paced() {
        Pace pace = new Pace(BYTES_PER_SECOND);
        return bytes -> {
            pace.take(bytes);
            try {
                while (pace.available(1, clock.nowMs()) == 0) {
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("the broker is about to stop", e);
            }
        };
    }

    @Override
    public void close() {
        worker.shutdownNow();
    }
}
