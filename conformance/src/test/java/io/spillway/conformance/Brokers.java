package io.spillway.conformance;

import io.spillway.system.BrokerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The brokers of a run: one that all harmless scenarios share, and a few for those that harm theirs. Thread-safe. */
final class Brokers implements AutoCloseable {
    /** So few because their starts need the processors that the other scenarios use. */
    private static final int MAX_OWN_AT_ONCE = 3;

    private final Path directory;
    private final BrokerProcess shared;
    private final Semaphore permits = new Semaphore(MAX_OWN_AT_ONCE, true);
    private final AtomicInteger lastOwn = new AtomicInteger();
    private final List<OwnBroker> idle = new ArrayList<>();
    private final List<OwnBroker> all = new ArrayList<>();

    Brokers(Path directory) {
        this.directory = directory;
        shared = BrokerProcess.start(directory.resolve("shared"));
    }

    BrokerProcess shared() {
        return shared;
    }

    /** A running broker with these settings, used by nobody else until it is given back. */
    OwnBroker take(Map<String, String> settings) throws IOException, InterruptedException {
        permits.acquire();
        try {
            OwnBroker found = find(settings);
            OwnBroker broker = found == null ? start(settings) : found;
            broker.mend();
            return broker;
        } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
            permits.release();
            throw e;
        }
    }

    private synchronized @Nullable OwnBroker find(Map<String, String> settings) {
        for (OwnBroker broker : idle) {
            if (broker.settings.equals(settings)) {
                idle.remove(broker);
                return broker;
            }
        }
        return null;
    }

    private OwnBroker start(Map<String, String> settings) {
        OwnBroker broker = new OwnBroker(directory.resolve("own-" + lastOwn.incrementAndGet()), settings);
        synchronized (this) {
            all.add(broker);
        }
        return broker;
    }

    void giveBack(OwnBroker broker) {
        synchronized (this) {
            idle.add(broker);
        }
        permits.release();
    }

    @Override
    public void close() {
        shared.close();
        all.forEach(OwnBroker::close);
    }
}
