package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random appends, trims, drops, chores, snapshots, clean reopens and kills against a map of what must be there. Trims
 * and drops are entries of state that are replayed after an opening, as the shard does it.
 */
class LogModelTest {
    @TempDir
    Path root;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void holdsExactlyWhatTheModelHolds(long seed) throws IOException {
        new Run(seed, root).run(600);
    }

    @Tag("slow")
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {101, 102, 103, 104, 105, 106, 107, 108, 109, 110})
    void holdsExactlyWhatTheModelHoldsInALongLife(long seed) throws IOException {
        new Run(seed, root).run(10_000);
    }

    /** The batches of one partition by base offset, with their record counts. */
    private static final class Partition {
        final TreeMap<Long, Integer> batches = new TreeMap<>();
        long start;
        long end;

        Partition copy() {
            Partition copy = new Partition();
            copy.batches.putAll(batches);
            copy.start = start;
            copy.end = end;
            return copy;
        }

        void trim(long offset) {
            if (offset > start) {
                start = offset;
                end = Math.max(end, offset);
                batches.entrySet().removeIf(batch -> batch.getKey() + batch.getValue() <= offset);
            }
        }

        List<String> from(long offset) {
            List<String> list = new ArrayList<>();
            batches.forEach((base, records) -> {
                if (base + records > offset) {
                    list.add(base + "+" + records);
                }
            });
            return list;
        }
    }

    private static final class Run {
        private final Random random;
        private final String seed;
        private final Path root;
        private LogFixture fixture;
        private int lives;

        private Map<Integer, Partition> model = new HashMap<>();
        private Map<Integer, Partition> snapshot = new HashMap<>();
        private long snapshotSequence;
        private int nextPartition = 1;

        Run(long seed, Path root) {
            this.random = new Random(seed);
            this.seed = "seed " + seed;
            this.root = root;
            this.fixture = new LogFixture(root.resolve("life0"), LogFixture.SMALL.withRelocateBelowPermille(400));
        }

        void run(int steps) throws IOException {
            for (int i = 0; i < steps; i++) {
                step(random.nextInt(1000));
            }
            check();
            fixture.close();
        }

        private void step(int dice) throws IOException {
            fixture.clock.advance(random.nextInt(200));
            if (dice < 700) {
                append();
            } else if (dice < 780) {
                fixture.sync();
            } else if (dice < 840) {
                trim();
            } else if (dice < 850) {
                drop();
            } else if (dice < 950) {
                fixture.log().maintain(fixture.clock.nowMs(), snapshotSequence);
            } else if (dice < 970) {
                readSomewhere();
            } else if (dice < 990) {
                takeSnapshot();
            } else if (dice < 995) {
                fixture.reopen();
                restore();
                check();
            } else {
                kill();
                restore();
                check();
            }
        }

        private int anyPartition() {
            if (model.isEmpty() || random.nextInt(60) == 0) {
                model.put(nextPartition, new Partition());
                return nextPartition++;
            }
            return new ArrayList<>(model.keySet()).get(random.nextInt(model.size()));
        }

        private Partition partition(int id) {
            return model.computeIfAbsent(id, unknown -> new Partition());
        }

        private void append() {
            int id = anyPartition();
            Partition partition = partition(id);
            int records = 1 + random.nextInt(20);
            long base = fixture.append(id, records, random.nextInt(random.nextInt(10) == 0 ? 2000 : 300));
            assertThat(base).as(seed).isEqualTo(partition.end);
            partition.batches.put(base, records);
            partition.end = base + records;
        }

        private void state(String text) {
            fixture.log().append(text.getBytes(StandardCharsets.US_ASCII), 0, null);
        }

        private void trim() {
            int id = anyPartition();
            Partition partition = partition(id);
            long kept = partition.end - partition.start;
            long offset = partition.start + (long) (kept * random.nextDouble() * 1.2);
            offset = Math.min(offset, partition.end);
            state("trim " + id + " " + offset);
            fixture.log().trim(id, offset);
            partition.trim(offset);
        }

        private void drop() {
            int id = anyPartition();
            state("drop " + id);
            fixture.log().drop(id);
            model.remove(id);
        }

        private void takeSnapshot() throws IOException {
            fixture.sync();
            snapshot = new HashMap<>();
            model.forEach((id, partition) -> snapshot.put(id, partition.copy()));
            snapshotSequence = fixture.log().nextSequence();
            fixture.log().snapshots().write(snapshotSequence, new byte[] {1});
        }

        private void kill() {
            LogFixture next = fixture.killed(root.resolve("life" + ++lives));
            fixture.close();
            fixture = next;
        }

        private void restore() {
            ShardLog log = fixture.log();
            assertThat(log.recovery().problems()).as(seed).isEmpty();
            for (int id : log.partitions()) {
                if (!snapshot.containsKey(id) && !model.containsKey(id)) {
                    log.drop(id);
                }
            }
            snapshot.forEach((id, partition) -> log.restoreStart(id, partition.start, partition.end));
            log.replay(snapshotSequence, (sequence, state, partition, batch) -> {
                if (state != null) {
                    String[] words = new String(state, StandardCharsets.US_ASCII).split(" ", -1);
                    int id = Integer.parseInt(words[1]);
                    if (words[0].equals("trim")) {
                        log.trim(id, Long.parseLong(words[2]));
                    } else {
                        log.drop(id);
                    }
                }
            });
        }

        private void check() {
            model.forEach((id, partition) -> {
                assertThat(fixture.log().endOffset(id))
                        .as("%s end of %d", seed, id)
                        .isEqualTo(partition.end);
                assertThat(fixture.log().startOffset(id))
                        .as("%s start of %d", seed, id)
                        .isEqualTo(partition.start);
                assertThat(fixture.read(id, partition.start))
                        .as("%s batches of %d", seed, id)
                        .isEqualTo(partition.from(partition.start));
            });
            assertThat(fixture.log().partitions()).as(seed).hasSizeLessThanOrEqualTo(model.size());
        }

        private void readSomewhere() {
            int id = anyPartition();
            Partition partition = partition(id);
            long offset = partition.start + (long) ((partition.end - partition.start) * random.nextDouble());
            assertThat(fixture.read(id, offset))
                    .as("%s batches of %d from %d", seed, id, offset)
                    .isEqualTo(partition.from(offset));
        }
    }
}
