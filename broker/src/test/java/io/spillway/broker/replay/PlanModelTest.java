package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.spillway.broker.shard.PublishOutcome;
import io.spillway.broker.shard.ShardFixture;
import io.spillway.broker.shard.TestMember;
import io.spillway.protocol.KeyHash;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordParts;
import io.spillway.protocol.Seeded;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.ReplayPlan;
import io.spillway.protocol.v1.ReplayRange;
import io.spillway.protocol.v1.ReplaySelection;
import io.spillway.protocol.v1.Start;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Random selections of a random topic, planned, and compared with a list of its records that is filtered. */
@Timeout(120)
class PlanModelTest {
    private static final int PARTITIONS = 3;
    private static final int BATCHES = 60;
    private static final int SELECTIONS = 25;
    private static final int EARLIEST = 1;
    private static final int LATEST = 2;
    private static final int TIME = 4;
    private static final int OFFSET = 3;

    /** One record as it was published. */
    private record Known(int partition, long offset, long appendMs, RecordParts parts) {
        String header(String name) {
            return parts.headers().stream()
                    .filter(header -> header.getKey().equals(name))
                    .map(header -> new String(header.getValue(), StandardCharsets.UTF_8))
                    .findFirst()
                    .orElse("");
        }

        @Nullable
        ByteString key() {
            return parts.key() == null ? null : ByteString.copyFrom(parts.key());
        }
    }

    /** A filter, and what it means. */
    private record Meaning(String filter, Predicate<Known> takes) {}

    private static final List<Meaning> FILTERS = List.of(
            new Meaning("type = 'invoice'", known -> known.header("type").equals("invoice")),
            new Meaning("$partition = 1", known -> known.partition == 1),
            new Meaning("$offset >= 40 && $offset < 200", known -> known.offset >= 40 && known.offset < 200),
            new Meaning(
                    "$key in ('k1', 'k3')",
                    known -> ByteString.copyFromUtf8("k1").equals(known.key())
                            || ByteString.copyFromUtf8("k3").equals(known.key())));

    private final List<Known> all = new ArrayList<>();
    private final long[] starts = new long[PARTITIONS];
    private final long[] ends = new long[PARTITIONS];
    private final List<Known> acked = new ArrayList<>();
    private RandomGenerator random = new SplittableRandom(0);
    private ReplayFixture replays;
    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        replays = new ReplayFixture(directory.resolve("shard"));
        shard = replays.shard;
        shard.createTopic("orders", PARTITIONS, Map.of());
    }

    @AfterEach
    void close() {
        replays.close();
    }

    @Seeded(runs = 4)
    void aPlanHasWhatAModelHas(RandomGenerator seeded) {
        random = seeded;
        publish();
        ackSome();
        starts[0] = random.nextLong(ends[0]);
        shard.trim("orders", starts[0]);
        for (int i = 0; i < SELECTIONS; i++) {
            check(selection());
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void publish() {
        int[] nextId = new int[PARTITIONS];
        for (int i = 0; i < BATCHES; i++) {
            int partition = random.nextInt(PARTITIONS);
            List<RecordParts> records = new ArrayList<>();
            for (int left = random.nextInt(1, 20); left > 0; left--) {
                nextId[partition] += random.nextInt(1, 3);
                records.add(record(nextId[partition]));
            }
            shard.clock.advance(random.nextInt(100));
            PublishOutcome outcome = shard.publish("orders", partition, records);
            for (RecordParts record : records) {
                all.add(new Known(partition, ends[partition]++, outcome.appendTimeMs(), record));
            }
        }
    }

    private RecordParts record(int id) {
        byte[] key = random.nextInt(5) == 0 ? null : bytes("k" + random.nextInt(5));
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
        if (random.nextBoolean()) {
            headers.add(Map.entry("type", bytes(random.nextBoolean() ? "invoice" : "order")));
        }
        if (random.nextBoolean()) {
            headers.add(Map.entry("spillway-dlq-cause", bytes(random.nextBoolean() ? "POISON" : "MAX_DELIVERIES")));
        }
        // A partition knows its own keys again, so that the same ones are in different partitions alone.
        byte[] dedupId = random.nextBoolean() ? bytes("id-" + id) : null;
        byte[] value = new byte[random.nextInt(3) == 0 ? random.nextInt(4_000) : random.nextInt(20)];
        return new RecordParts(
                shard.clock.nowMs(), key, key == null ? 0 : KeyHash.of(key), headers, value, dedupId, null, -1, -1);
    }

    private void ackSome() {
        TestMember member = shard.join("orders", "g", Map.of());
        shard.until(() -> member.received.size() == all.size(), "all are delivered");
        for (TestMember.Delivered record : member.take()) {
            if (random.nextInt(3) > 0) {
                shard.settle(member, record, AckItem.newBuilder());
                all.stream()
                        .filter(known -> known.partition == record.partition() && known.offset == record.offset())
                        .forEach(acked::add);
            }
        }
        shard.pass(100);
    }

    private ReplaySelection.Builder selection() {
        ReplaySelection.Builder selection = ReplayFixture.of("orders");
        if (random.nextBoolean()) {
            selection.setFrom(position());
        }
        if (random.nextBoolean()) {
            selection.setTo(position());
        }
        if (random.nextInt(4) == 0) {
            selection.addPartitions(random.nextInt(PARTITIONS)).addPartitions(random.nextInt(PARTITIONS));
        }
        if (random.nextInt(4) == 0) {
            selection.addKeys(ByteString.copyFromUtf8("k" + random.nextInt(6)));
            selection.addKeys(ByteString.copyFromUtf8("k" + random.nextInt(6)));
        }
        if (random.nextInt(3) == 0) {
            selection.setFilter(FILTERS.get(random.nextInt(FILTERS.size())).filter);
        }
        if (random.nextInt(4) == 0) {
            selection.setDeadLetterCause("POISON");
        }
        if (random.nextInt(3) == 0) {
            selection.setUnackedBy("g");
        }
        if (random.nextInt(4) == 0) {
            selection.setSamplePm(random.nextInt(1, 1_001));
        }
        return selection;
    }

    private Start position() {
        int partition = random.nextInt(PARTITIONS);
        return switch (random.nextInt(6)) {
            case 0 -> Start.newBuilder().setKind(EARLIEST).build();
            case 1 -> Start.newBuilder().setKind(LATEST).build();
            case 2 ->
                Start.newBuilder()
                        .setKind(OFFSET)
                        .setPartition(partition)
                        .setOffset(random.nextLong(starts[partition], ends[partition] + 1))
                        .build();
            default ->
                Start.newBuilder()
                        .setKind(TIME)
                        .setUnixMs(all.get(random.nextInt(all.size())).appendMs + random.nextInt(-1, 2))
                        .build();
        };
    }

    /** Whether a position comes at or before a record: it is from there on, and not up to there. */
    private static boolean begins(Start at, Known known) {
        return switch (at.getKind()) {
            case EARLIEST -> true;
            case LATEST -> false;
            case TIME -> at.getUnixMs() <= known.appendMs;
            default -> at.getPartition() == known.partition && at.getOffset() <= known.offset;
        };
    }

    private boolean isInRange(ReplaySelection.Builder selection, Known known) {
        List<Integer> partitions = selection.getPartitionsList();
        Start to = selection.getTo();
        boolean isInOther = to.getKind() == OFFSET && to.getPartition() != known.partition;
        return known.offset >= starts[known.partition]
                && (partitions.isEmpty() || partitions.contains(known.partition))
                && (!selection.hasFrom() || begins(selection.getFrom(), known))
                && (!selection.hasTo() || !(isInOther || begins(to, known)));
    }

    private boolean isMeant(ReplaySelection.Builder selection, Known known) {
        List<ByteString> keys = selection.getKeysList();
        return isInRange(selection, known)
                && (keys.isEmpty() || (known.key() != null && keys.contains(known.key())))
                && FILTERS.stream()
                        .filter(meaning -> meaning.filter.equals(selection.getFilter()))
                        .allMatch(meaning -> meaning.takes.test(known))
                && (selection.getDeadLetterCause().isEmpty()
                        || known.header("spillway-dlq-cause").equals(selection.getDeadLetterCause()))
                && (selection.getUnackedBy().isEmpty() || !acked.contains(known))
                && Sample.takes(known.partition, known.offset, selection.getSamplePm());
    }

    private void check(ReplaySelection.Builder selection) {
        List<Known> meant =
                all.stream().filter(known -> isMeant(selection, known)).toList();
        ReplayPlan plan = replays.plan(selection);
        String what = selection.build().toString();

        assertThat(plan.getRecords()).as("records of %s", what).isEqualTo(meant.size());
        assertThat(plan.getBytes())
                .as("bytes of %s", what)
                .isEqualTo(meant.stream()
                        .mapToLong(known -> known.parts.bytes() - RecordBatch.INDEX_ENTRY_BYTES)
                        .sum());
        assertThat(plan.getKeysExact()).isTrue();
        assertThat(plan.getKeys())
                .as("keys of %s", what)
                .isEqualTo(meant.stream()
                        .map(Known::key)
                        .filter(key -> key != null)
                        .distinct()
                        .count());
        List<ByteString> ids = meant.stream()
                .filter(known -> known.parts.dedupId() != null)
                .map(known -> ByteString.copyFrom(known.parts.dedupId()))
                .toList();
        assertThat(plan.getDuplicates())
                .as("duplicates of %s", what)
                .isEqualTo(ids.size() - ids.stream().distinct().count());
        assertThat(plan.getFirstUnixMs())
                .as("first time of %s", what)
                .isEqualTo(meant.stream().mapToLong(Known::appendMs).min().orElse(0));
        assertThat(plan.getLastUnixMs())
                .as("last time of %s", what)
                .isEqualTo(meant.stream().mapToLong(Known::appendMs).max().orElse(0));
        assertThat(plan.getToScan())
                .as("looked at for %s", what)
                .isEqualTo(all.stream()
                        .filter(known -> isInRange(selection, known))
                        .count())
                .isEqualTo(plan.getScanned());
        assertThat(places(replays.exact(plan)))
                .as("places of %s", what)
                .isEqualTo(meant.stream()
                        .sorted(java.util.Comparator.comparing(Known::partition).thenComparing(Known::offset))
                        .map(known -> known.partition + "/" + known.offset)
                        .toList());
    }

    private static List<String> places(ReplayPlan exact) {
        List<String> places = new ArrayList<>();
        for (ReplayRange range : exact.getPartitionsList()) {
            LongStream.range(range.getFrom(), range.getTo())
                    .forEach(offset -> places.add(range.getPartition() + "/" + offset));
        }
        return places;
    }
}
