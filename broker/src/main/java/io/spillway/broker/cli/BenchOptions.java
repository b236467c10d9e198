package io.spillway.broker.cli;

import io.spillway.client.Admin;
import io.spillway.client.Durability;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.TopicDescription;
import io.spillway.protocol.Code;
import io.spillway.protocol.Limits;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of all benchmarks. */
final class BenchOptions {
    private static final long SEED = 20_260_101;

    @Option(
            names = "--topic",
            paramLabel = "TOPIC",
            description = "Created when it does not exist. Default: spillway-bench.")
    private String topic = "spillway-bench";

    @Option(names = "--partitions", paramLabel = "N", description = "Of the topic, when it is created. Default: 1.")
    private int partitions = 1;

    @Option(
            names = "--records",
            paramLabel = "N",
            description = "How many are measured. Default: 1000000; latency: 60 s.")
    private @Nullable Long records;

    @Option(names = "--size", paramLabel = "BYTES", description = "Of a record's value. Default: 256.")
    private int size = 256;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            description = "Records before the measured ones. Default: a tenth as many.")
    private @Nullable Long warmup;

    /** Throws UsageException for numbers that make no sense. */
    void check(int minSize) {
        UsageException.atLeast("--partitions", partitions, 1);
        UsageException.atLeast("--size", size, minSize);
        if (size > Limits.MAX_RECORD_BYTES) {
            throw new UsageException(
                    "--size is " + size,
                    "a record has at most " + Limits.MAX_RECORD_BYTES + " bytes",
                    "give a smaller one");
        }
        if (records != null) {
            UsageException.atLeast("--records", records, 1);
        }
        if (warmup != null) {
            UsageException.atLeast("--warmup", warmup, 0);
        }
    }

    /** The topic, created with that durability if need be. */
    TopicDescription topic(SpillwayClient client, Durability durability) {
        return topic(client, topic, durability);
    }

    /** The topics of a load over that many: TOPIC, or TOPIC-1, TOPIC-2 and so on, created as {@link #topic} is. */
    List<String> topics(SpillwayClient client, int count, Durability durability) {
        List<String> names = count == 1
                ? List.of(topic)
                : IntStream.rangeClosed(1, count).mapToObj(i -> topic + "-" + i).toList();
        names.forEach(name -> topic(client, name, durability));
        return names;
    }

    private TopicDescription topic(SpillwayClient client, String name, Durability durability) {
        Admin admin = client.admin();
        try {
            return admin.describeTopic(name);
        } catch (SpillwayException e) {
            if (!e.is(Code.TOPIC_NOT_FOUND)) {
                throw e;
            }
        }
        try {
            return admin.createTopic(name, partitions, config(durability));
        } catch (SpillwayException e) {
            if (e.is(Code.ALREADY_EXISTS)) {
                return admin.describeTopic(name);
            }
            throw e;
        }
    }

    private static Map<String, String> config(Durability durability) {
        return switch (durability) {
            case MAPPED -> Map.of("durability", "mapped");
            case SYNCED -> Map.of("durability", "synced");
            case DEFAULT, QUORUM -> Map.of();
        };
    }

    String topicName() {
        return topic;
    }

    long records(long otherwise) {
        return records == null ? otherwise : records;
    }

    long warmup(long measured) {
        return warmup == null ? measured / 10 : warmup;
    }

    int size() {
        return size;
    }

    /** A value that does not compress, the same in every run. */
    byte[] value() {
        byte[] value = new byte[size];
        new SplittableRandom(SEED).nextBytes(value);
        return value;
    }
}
