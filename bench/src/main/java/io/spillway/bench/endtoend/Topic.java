package io.spillway.bench.endtoend;

import io.spillway.client.Durability;
import io.spillway.client.Producer;
import io.spillway.client.SpillwayClient;
import java.util.Locale;
import java.util.Map;

/** A topic of one partition for one measurement, deleted after it. */
final class Topic implements AutoCloseable {
    private final SpillwayClient client;
    private final Durability durability;
    private final String name;

    private Topic(SpillwayClient client, Durability durability, String name) {
        this.client = client;
        this.durability = durability;
        this.name = name;
    }

    static Topic create(SpillwayClient client, Durability durability) {
        String name = "bench-" + Long.toHexString(System.nanoTime());
        client.admin()
                .createTopic(name, 1, Map.of("durability", durability.name().toLowerCase(Locale.ROOT)));
        return new Topic(client, durability, name);
    }

    String name() {
        return name;
    }

    /** A producer whose acks mean the topic's durability. */
    Producer producer() {
        return client.producer(name).durability(durability).open();
    }

    @Override
    public void close() {
        client.admin().deleteTopic(name);
    }
}
