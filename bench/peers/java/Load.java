package io.spillway.bench.peers;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Puts the same work on a broker as the load for Go, with the same flags, and prints one line of JSON. */
final class Load {
    private static final long PATIENCE_NS = 60_000_000_000L;

    private final Plan plan;
    private final Peer peer;
    private final List<String> topics = new ArrayList<>();

    private Load(Plan plan, Peer peer) {
        this.plan = plan;
        this.peer = peer;
        for (int i = 0; i < plan.topics(); i++) {
            topics.add("bench-" + plan.run() + "-" + i);
        }
    }

    static void main(String name, String[] args, Peer.Factory factory) {
        try {
            Plan plan = Plan.parse(args);
            Map<String, Object> result = plan.load().equals("first") ? First.run(plan, factory) : run(plan, factory);
            result.put("peer", name);
            result.put("load", plan.load());
            result.put("language", "java");
            result.put("client_cpu_s", cpuSeconds());
            System.out.println(Json.of(result));
            System.exit(0);
        } catch (Peer.Unable e) {
            System.err.println("error: " + e.getMessage());
            System.exit(3);
        } catch (Exception e) {
            e.printStackTrace();
            System.err.println("error: " + e);
            System.exit(1);
        }
    }

    private static double cpuSeconds() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime() / 1e9;
    }

    private static Map<String, Object> run(Plan given, Peer.Factory factory) throws Exception {
        boolean onlyPublishes = given.load().equals("publish");
        boolean many = onlyPublishes || given.load().equals("group");
        Plan plan = given.of(onlyPublishes ? given.topics() : 1, many ? given.producers() : 1, given.run());
        try (Peer peer = factory.connect(plan)) {
            Load load = new Load(plan, peer);
            peer.create(load.topics);
            Map<String, Object> result =
                    switch (plan.load()) {
                        case "publish" -> load.publish();
                        case "group" -> load.publishAndConsume();
                        case "drain" -> load.drain();
                        case "latency" -> new OpenLoop(plan, peer, load.topics).run();
                        default -> throw new IllegalArgumentException("there is no load " + plan.load());
                    };
            peer.remove(load.topics);
            return result;
        }
    }

    private Map<String, Object> publish() throws Exception {
        Flood flood = new Flood(plan, peer, topics, 0);
        double[] perSecond = measured(flood::acked);
        flood.stop();
        return results("acked_per_s", perSecond[0], "acked", flood.acked());
    }

    private Map<String, Object> publishAndConsume() throws Exception {
        LongAdder consumed = new LongAdder();
        try (Peer.Consuming consumer = peer.consumer(topics.get(0), "g-" + plan.run(), value -> consumed.increment())) {
            prime(plan, peer, topics, () -> consumed.sum() > 0);
            consumed.reset();
            Flood flood = new Flood(plan, peer, topics, 0);
            double[] perSecond = measured(flood::acked, consumed::sum);
            flood.stop();
            long begunNs = System.nanoTime();
            await(PATIENCE_NS, () -> consumed.sum() >= flood.acked(), "not all records have arrived");
            double behind = (System.nanoTime() - begunNs) / 1e9;
            Map<String, Object> results =
                    results("acked_per_s", perSecond[0], "consumed_per_s", perSecond[1], "behind_s", behind);
            results.put("acked", flood.acked());
            return results;
        }
    }

    /** A record of zeros is published and has arrived: how long a group takes to come together is not what is measured. */
    static void prime(Plan plan, Peer peer, List<String> topics, BooleanSupplier arrived) throws Exception {
        if (peer.consumesAtOnce()) {
            return;
        }
        Outcomes outcomes = new Outcomes(dueNs -> {});
        try (Peer.Publishing producer = peer.producer(topics, outcomes)) {
            Peer.Item item = new Source(plan, plan.producers()).next();
            item.value = new byte[plan.size()];
            producer.publish(item);
            producer.flush();
        }
        outcomes.check();
        await(PATIENCE_NS, arrived, "the first record has not arrived");
    }

    /** The clock runs from the first record that arrives until the last ack. */
    private Map<String, Object> drain() throws Exception {
        Flood flood = new Flood(plan, peer, topics, plan.records());
        flood.join();
        LongAdder consumed = new LongAdder();
        AtomicLong firstNs = new AtomicLong();
        long openedNs = System.nanoTime();
        Consumer<ByteBuffer> show = value -> {
            if (firstNs.get() == 0) {
                firstNs.set(System.nanoTime());
            }
            consumed.increment();
        };
        try (Peer.Consuming consumer = peer.consumer(topics.get(0), "g-" + plan.run(), show)) {
            await(2 * PATIENCE_NS, () -> consumed.sum() >= plan.records(), "not all records have arrived");
            consumer.flush();
            double seconds = (System.nanoTime() - firstNs.get()) / 1e9;
            double firstAfter = (firstNs.get() - openedNs) / 1e9;
            return results("consumed_per_s", plan.records() / seconds, "first_after_s", firstAfter, "acked", plan.records());
        }
    }

    /** What the counters rise by in a second, after the warm-up. */
    private double[] measured(LongSupplier... counters) throws InterruptedException {
        Thread.sleep((long) (plan.warmUp() * 1e3));
        long begunNs = System.nanoTime();
        long[] before = new long[counters.length];
        for (int i = 0; i < counters.length; i++) {
            before[i] = counters[i].getAsLong();
        }
        Thread.sleep((long) (plan.seconds() * 1e3));
        double seconds = (System.nanoTime() - begunNs) / 1e9;
        double[] perSecond = new double[counters.length];
        for (int i = 0; i < counters.length; i++) {
            perSecond[i] = (counters[i].getAsLong() - before[i]) / seconds;
        }
        return perSecond;
    }

    static void await(long limitNs, BooleanSupplier is, String otherwise) throws InterruptedException {
        for (long endNs = System.nanoTime() + limitNs; !is.getAsBoolean(); Thread.sleep(1)) {
            if (System.nanoTime() > endNs) {
                throw new IllegalStateException(otherwise);
            }
        }
    }

    static Map<String, Object> results(Object... namesAndValues) {
        Map<String, Object> results = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            results.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return results;
    }

    /** Publishes as fast as outcomes come, each producer on a thread of its own. */
    static final class Flood {
        private final List<Outcomes> outcomes = new ArrayList<>();
        private final List<Thread> threads = new ArrayList<>();
        private final AtomicReference<Exception> failure = new AtomicReference<>();
        private volatile boolean stopped;

        Flood(Plan plan, Peer peer, List<String> topics, long limit) throws Exception {
            List<Peer.Publishing> producers = new ArrayList<>();
            for (int i = 0; i < plan.producers(); i++) {
                outcomes.add(new Outcomes(dueNs -> {}));
                producers.add(peer.producer(topics, outcomes.get(i)));
            }
            for (int i = 0; i < producers.size(); i++) {
                int index = i;
                Thread thread = new Thread(() -> run(plan, producers.get(index), index, limit));
                threads.add(thread);
                thread.start();
            }
        }

        private void run(Plan plan, Peer.Publishing publishing, int index, long limit) {
            Source source = new Source(plan, index);
            Outcomes mine = outcomes.get(index);
            try (Peer.Publishing producer = publishing) {
                for (long n = 0; (limit == 0 || n < limit) && !stopped && !mine.hasFailed(); n++) {
                    producer.publish(source.next());
                }
                producer.flush();
                mine.check();
            } catch (Exception e) {
                failure.compareAndSet(null, e);
            }
        }

        long acked() {
            return outcomes.stream().mapToLong(Outcomes::acks).sum();
        }

        void stop() throws Exception {
            stopped = true;
            join();
        }

        void join() throws Exception {
            for (Thread thread : threads) {
                thread.join();
            }
            if (failure.get() != null) {
                throw failure.get();
            }
        }
    }
}
