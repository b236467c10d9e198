package io.spillway.bench.peers;

import io.spillway.client.ClientBuilder;
import io.spillway.client.ClientNetwork;
import io.spillway.client.ClientTls;
import io.spillway.client.Message;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.PublishCallback;
import io.spillway.client.SpillwayClient;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Spillway: the client's defaults, and a connection for each 256 topics that a producer publishes to, all on one network thread. By default its topics are MAPPED, which is what the peers' defaults are like: it survives the process, not
 * the machine. Spillway's own default is SYNCED.
 */
public final class SpillwayLoad implements Peer {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int MAX_POLL = 1024;
    /** More are refused. */
    private static final int PUBLISHERS_OF_A_CONNECTION = 256;

    private final Plan plan;
    private final SpillwayClient admin;

    private SpillwayLoad(Plan plan) {
        this.plan = plan;
        admin = builder().connect();
    }

    public static void main(String[] args) {
        Load.main("spillway", args, SpillwayLoad::new);
    }

    private ClientBuilder builder() {
        ClientBuilder builder = SpillwayClient.builder().endpoints(plan.endpoint().split(","));
        if (!plan.authority().isEmpty()) {
            builder.tls(ClientTls.trusting(Path.of(plan.authority())).serverName("localhost"));
        }
        return builder;
    }

    @Override
    public void create(List<String> topics) {
        String durability = plan.synced() ? "synced" : "mapped";
        topics.forEach(topic -> admin.admin().createTopic(topic, 1, Map.of("durability", durability)));
    }

    @Override
    public void remove(List<String> topics) {
        topics.forEach(topic -> admin.admin().deleteTopic(topic));
    }

    @Override
    public Publishing producer(List<String> topics, Outcomes outcomes) {
        ClientNetwork network = ClientNetwork.create();
        List<SpillwayClient> clients = new ArrayList<>();
        List<Producer> producers = new ArrayList<>();
        for (int i = 0; i < topics.size(); i++) {
            if (i % PUBLISHERS_OF_A_CONNECTION == 0) {
                clients.add(builder().network(network).connect());
            }
            producers.add(clients.get(clients.size() - 1).producer(topics.get(i)).open());
        }
        boolean timed = plan.load().equals("latency");
        PublishCallback untimed = (ack, error) -> outcomes.hear(0, error);
        return new Publishing() {
            @Override
            public void publish(Item item) {
                OutgoingRecord.Builder record = OutgoingRecord.builder(item.value).key(item.key);
                if (item.id != 0) {
                    record.idempotencyKey(ByteBuffer.allocate(Long.BYTES).putLong(item.id).array());
                }
                long dueNs = item.dueNs;
                producers.get(item.topic)
                        .publish(record.build(), timed ? (ack, error) -> outcomes.hear(dueNs, error) : untimed);
            }

            @Override
            public void flush() {
                producers.forEach(producer -> producer.flush(PATIENCE));
            }

            @Override
            public void close() {
                clients.forEach(SpillwayClient::close);
                network.close();
            }
        };
    }

    @Override
    public Consuming consumer(String topic, String group, Consumer<ByteBuffer> show) {
        SpillwayClient client = builder().connect();
        return new Reading(client, client.subscribe(topic).group(group).start(StartPosition.earliest()).open(), show);
    }

    private static final class Reading implements Consuming {
        private final SpillwayClient client;
        private final Subscription subscription;
        private final Consumer<ByteBuffer> show;
        private final Thread thread;
        private volatile boolean closed;

        Reading(SpillwayClient client, Subscription subscription, Consumer<ByteBuffer> show) {
            this.client = client;
            this.subscription = subscription;
            this.show = show;
            thread = new Thread(this::run);
            thread.start();
        }

        private void run() {
            while (!closed) {
                for (Message message : subscription.poll(MAX_POLL, POLL)) {
                    show.accept(message.valueBuffer());
                    message.ack();
                }
            }
        }

        @Override
        public void flush() {
            subscription.flushAcks(PATIENCE);
        }

        @Override
        public void close() throws InterruptedException {
            closed = true;
            thread.join();
            client.close();
        }
    }

    @Override
    public void close() {
        admin.close();
    }
}
