package io.spillway.bench.peers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Tries until a record is acked, and says when that was. Its first line says that it has begun, so that its own start does not count. */
final class First {
    private static final long LIMIT_NS = 60_000_000_000L;

    private First() {}

    static Map<String, Object> run(Plan plan, Peer.Factory factory) throws Exception {
        System.out.println("{\"trying\":true}");
        Exception last = null;
        int tries = 0;
        for (long endNs = System.nanoTime() + LIMIT_NS; System.nanoTime() < endNs; Thread.sleep(1)) {
            if (!isListening(plan.endpoint().split(",")[0])) {
                continue;
            }
            try {
                publishOne(plan.of(1, 1, plan.run() + "-" + tries++), factory);
                Instant now = Instant.now();
                return Load.results("first_ack_unix_ns", now.getEpochSecond() * 1_000_000_000L + now.getNano(), "tries", tries);
            } catch (Peer.Unable e) {
                throw e;
            } catch (Exception e) {
                last = e;
            }
        }
        throw new IllegalStateException("no record was acked", last);
    }

    private static boolean isListening(String endpoint) {
        int colon = endpoint.lastIndexOf(':');
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(endpoint.substring(0, colon), Integer.parseInt(endpoint.substring(colon + 1))), 1000);
            return true;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    private static void publishOne(Plan plan, Peer.Factory factory) throws Exception {
        List<String> topics = List.of("bench-" + plan.run() + "-0");
        Outcomes outcomes = new Outcomes(dueNs -> {});
        try (Peer peer = factory.connect(plan)) {
            peer.create(topics);
            try (Peer.Publishing producer = peer.producer(topics, outcomes)) {
                producer.publish(new Source(plan, 0).next());
                producer.flush();
            }
        }
        outcomes.check();
    }
}
