package io.spillway.bench.peers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka. What its clients are set to stands in the properties of the directory given as {@code --settings}. */
public final class KafkaLoad implements Peer {
    private static final int MANY_TOPICS = 100;
    private static final int TOPICS_AT_ONCE = 100;
    private static final Duration LEADER_WITHIN = Duration.ofSeconds(30);

    private final Plan plan;
    private final boolean inShareGroups;
    private final Admin admin;

    KafkaLoad(Plan plan, boolean inShareGroups) throws Exception {
        if (plan.idempotent()) {
            throw new Unable("a producer of Kafka is idempotent by itself, and knows no keys of the application's");
        }
        this.plan = plan;
        this.inShareGroups = inShareGroups;
        admin = Admin.create(settings("kafka-admin"));
    }

    public static void main(String[] args) {
        Load.main("kafka", args, plan -> new KafkaLoad(plan, false));
    }

    private Properties settings(String... names) throws IOException {
        Properties settings = new Properties();
        for (String name : names) {
            try (InputStream in = Files.newInputStream(Path.of(plan.settings(), name + ".properties"))) {
                settings.load(in);
            }
        }
        settings.put("bootstrap.servers", plan.endpoint());
        if (!plan.authority().isEmpty()) {
            settings.put("security.protocol", "SSL");
            settings.put("ssl.truststore.type", "PEM");
            settings.put("ssl.truststore.location", plan.authority());
        }
        return settings;
    }

    @Override
    public void create(List<String> topics) throws Exception {
        // A topic's durability is a setting of its own: a sync before each ack, of whatever batch came.
        Map<String, String> config = plan.synced() ? Map.of("flush.messages", "1") : Map.of();
        if (plan.replicas() > 1) {
            config = plan.synced()
                    ? Map.of("flush.messages", "1", "min.insync.replicas", "2")
                    : Map.of("min.insync.replicas", "2");
        }
        Map<String, String> fixed = config;
        admin.createTopics(topics.stream()
                        .map(name -> new NewTopic(name, Optional.of(1), Optional.of((short) plan.replicas())).configs(fixed))
                        .toList())
                .all()
                .get();
        awaitLeaders(topics);
    }

    /**
     * Where a broker leads a topic only a moment later, a producer's first batches are refused, and it may never find its sequence again; and a
     * node that is asked may hear of the topic later than the one that made it.
     */
    private void awaitLeaders(List<String> topics) throws Exception {
        Map<TopicPartition, OffsetSpec> ends = topics.stream()
                .collect(Collectors.toMap(name -> new TopicPartition(name, 0), name -> OffsetSpec.latest()));
        long deadlineNs = System.nanoTime() + LEADER_WITHIN.toNanos();
        while (true) {
            try {
                admin.listOffsets(ends).all().get();
                return;
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException) || System.nanoTime() > deadlineNs) {
                    throw e;
                }
                Thread.sleep(100);
            }
        }
    }

    @Override
    public void remove(List<String> topics) throws Exception {
        admin.deleteTopics(topics).all().get();
    }

    @Override
    public Publishing producer(List<String> topics, Outcomes outcomes) throws Exception {
        String load = plan.load().equals("latency") || plan.load().equals("first") ? "kafka-producer-latency" : "kafka-producer-throughput";
        Properties settings = plan.topics() > MANY_TOPICS ? settings(load, "kafka-producer-topics") : settings(load);
        KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        learn(producer, topics);
        return new Publishing() {
            @Override
            public void publish(Item item) {
                long dueNs = item.dueNs;
                producer.send(
                        new ProducerRecord<>(topics.get(item.topic), item.key, item.value),
                        (metadata, error) -> outcomes.hear(dueNs, error));
            }

            @Override
            public void flush() {
                producer.flush();
            }

            @Override
            public void close() {
                producer.close();
            }
        };
    }

    /** Else the first record of each topic waits for its metadata, of which the client asks at most ten times a second; so ask for many at once. */
    private static void learn(KafkaProducer<byte[], byte[]> producer, List<String> topics) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(TOPICS_AT_ONCE, topics.size()));
        try {
            for (Future<?> learned : topics.stream().map(topic -> threads.submit(() -> producer.partitionsFor(topic))).toList()) {
                learned.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Override
    public Consuming consumer(String topic, String group, Consumer<ByteBuffer> show) throws Exception {
        Properties settings = settings(inShareGroups ? "kafka-share-consumer" : "kafka-consumer");
        settings.put("group.id", group);
        if (inShareGroups) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
            ConfigEntry earliest = new ConfigEntry("share.auto.offset.reset", "earliest");
            admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(earliest, AlterConfigOp.OpType.SET))))
                    .all()
                    .get();
            return new KafkaReading(KafkaReading.inShareGroup(settings, topic), show);
        }
        return new KafkaReading(KafkaReading.inGroup(settings, topic), show);
    }

    @Override
    public void close() {
        admin.close();
    }
}
