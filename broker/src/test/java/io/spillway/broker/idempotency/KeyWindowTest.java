package io.spillway.broker.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class KeyWindowTest {
    private static final KeyWindow.KeyCheck ANY = offset -> true;

    private record Entry(int fingerprint, long offset, long appendTimeMs) {}

    @Test
    void findsAKeyWithWhatWasRemembered() {
        var keys = new KeyWindow(10, 1000);
        keys.put(spread(1), -7, 1L << 40, 1L << 45);

        long handle = keys.find(spread(1), ANY);

        assertThat(keys.offset(handle)).isEqualTo(1L << 40);
        assertThat(keys.fingerprint(handle)).isEqualTo(-7);
        assertThat(keys.appendTimeMs(handle)).isEqualTo(1L << 45);
        assertThat(keys.find(spread(2), ANY)).isEqualTo(KeyWindow.NOT_FOUND);
    }

    @Test
    void asksTheStoredRecordWhenHashesCollide() {
        var keys = new KeyWindow(10, 1000);
        keys.put(spread(1), 11, 100, 0);
        keys.put(spread(1), 22, 200, 0);

        assertThat(keys.fingerprint(keys.find(spread(1), offset -> offset == 200)))
                .isEqualTo(22);
        assertThat(keys.fingerprint(keys.find(spread(1), offset -> offset == 100)))
                .isEqualTo(11);
        assertThat(keys.find(spread(1), offset -> false)).isEqualTo(KeyWindow.NOT_FOUND);
    }

    @Test
    void forgetsTheOldestBeyondItsCount() {
        var keys = new KeyWindow(3, 1000);
        for (int i = 0; i < 5; i++) {
            keys.put(spread(i), 0, i, 0);
        }

        assertThat(keys.size()).isEqualTo(3);
        assertThat(keys.oldestOffset()).isEqualTo(2);
        assertThat(keys.find(spread(1), ANY)).isEqualTo(KeyWindow.NOT_FOUND);
        assertThat(keys.offset(keys.find(spread(2), ANY))).isEqualTo(2);
    }

    @Test
    void forgetsWhatIsOlderThanItsAgeAndNotWhatIsJustAsOld() {
        var keys = new KeyWindow(10, 100);
        keys.put(spread(1), 0, 1, 1000);
        keys.put(spread(2), 0, 2, 1001);

        keys.evict(1101);

        assertThat(keys.size()).isEqualTo(1);
        assertThat(keys.find(spread(1), ANY)).isEqualTo(KeyWindow.NOT_FOUND);
        assertThat(keys.offset(keys.find(spread(2), ANY))).isEqualTo(2);
    }

    @Test
    void shrinksWhenItsLimitsDo() {
        var keys = new KeyWindow(100_000, 1000);
        for (int i = 0; i < 100_000; i++) {
            keys.put(spread(i), 0, i, 0);
        }

        keys.limits(100, 1000);

        assertThat(keys.size()).isEqualTo(100);
        assertThat(keys.oldestOffset()).isEqualTo(99_900);
        assertThat(keys.memoryBytes()).isLessThan(5_000);
    }

    @Test
    void remembersNothingWhenItMayNot() {
        var keys = new KeyWindow(0, 1000);

        keys.put(spread(1), 0, 1, 0);

        assertThat(keys.size()).isZero();
        assertThat(keys.memoryBytes()).isZero();
        assertThat(keys.find(spread(1), ANY)).isEqualTo(KeyWindow.NOT_FOUND);
        assertThatThrownBy(keys::oldestOffset).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void costsAtMost32BytesAKeyWhenFull() {
        var keys = new KeyWindow(1_000_000, 1000);
        for (int i = 0; i < 1_000_000; i++) {
            keys.put(spread(i), 0, i, 0);
        }

        assertThat(keys.memoryBytes()).isLessThanOrEqualTo(32_000_000);
    }

    @Test
    void refusesLimitsItCannotKeep() {
        assertThatThrownBy(() -> new KeyWindow(-1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new KeyWindow(KeyWindow.MAX_KEYS + 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new KeyWindow(1, -1)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Few hashes for many keys: long probes, wraps, shifts back over the end of the table. */
    @RepeatedTest(10)
    void doesWhatAMapDoes() {
        long seed = Long.getLong("spillway.seed", new Random().nextLong());
        var random = new Random(seed);
        int[] maxKeys = {1 + random.nextInt(500)};
        long[] maxAgeMs = {random.nextInt(300)};
        int hashes = 1 + random.nextInt(100);
        boolean highEnd = random.nextBoolean();
        var keys = new KeyWindow(maxKeys[0], maxAgeMs[0]);
        var model = new LinkedHashMap<Long, Entry>();
        var keyAt = new HashMap<Long, Long>();
        long nowMs = 1L << 41;
        for (int step = 0; step < 20_000; step++) {
            var what = "seed " + seed + ", step " + step;
            long key = random.nextInt(1000);
            long hash = highEnd ? -1L - (key % hashes << 32) : spread(key % hashes);
            nowMs += random.nextInt(3);
            switch (random.nextInt(100)) {
                case 0 -> {
                    maxKeys[0] = random.nextInt(500);
                    maxAgeMs[0] = random.nextInt(300);
                    keys.limits(maxKeys[0], maxAgeMs[0]);
                    dropOldest(model, maxKeys[0]);
                }
                case 1 -> {
                    keys.clear();
                    model.clear();
                }
                case 2, 3, 4 -> {
                    keys.evict(nowMs);
                    long oldestMs = nowMs - maxAgeMs[0];
                    model.values().removeIf(entry -> entry.appendTimeMs < oldestMs);
                }
                default -> {
                    long handle = keys.find(hash, offset -> keyAt.getOrDefault(offset, -1L) == key);
                    var known = model.get(key);
                    assertThat(handle >= 0).as(what).isEqualTo(known != null);
                    if (known != null) {
                        assertThat(new Entry(keys.fingerprint(handle), keys.offset(handle), keys.appendTimeMs(handle)))
                                .as(what)
                                .isEqualTo(known);
                    } else {
                        long offset = step;
                        keyAt.put(offset, key);
                        keys.put(hash, -step, offset, nowMs);
                        if (maxKeys[0] > 0) {
                            dropOldest(model, maxKeys[0] - 1);
                            model.put(key, new Entry(-step, offset, nowMs));
                        }
                    }
                }
            }
            assertThat(keys.size()).as(what).isEqualTo(model.size());
            if (!model.isEmpty()) {
                var oldest = model.values().iterator().next();
                assertThat(keys.oldestOffset()).as(what).isEqualTo(oldest.offset);
            }
        }
    }

    private static void dropOldest(Map<Long, Entry> model, int size) {
        var oldest = model.keySet().iterator();
        while (model.size() > size) {
            oldest.next();
            oldest.remove();
        }
    }

    /** Known answers of XXH64 with seed 0. */
    @Test
    void hashesAsXxHashDoes() {
        assertThat(hash("")).isEqualTo(0xEF46DB3751D8E999L);
        assertThat(hash("a")).isEqualTo(0xD24EC4F1A98C6E5BL);
        assertThat(hash("abc")).isEqualTo(0x44BC2CF5AD770999L);
        assertThat(hash("Nobody inspects the spammish repetition")).isEqualTo(0xFBCEA83C8A378BF1L);
    }

    @Test
    void hashesOnlyTheBytesOfTheKey() {
        var buffer = Unpooled.copiedBuffer("..abc..", StandardCharsets.UTF_8);

        assertThat(KeyWindow.hash(buffer, 2, 3)).isEqualTo(hash("abc"));
        assertThat(buffer.readerIndex()).isZero();
    }

    private static long hash(String text) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        return KeyWindow.hash(Unpooled.wrappedBuffer(bytes), 0, bytes.length);
    }

    /** A hash whose high bits, which place it, are spread. */
    private static long spread(long number) {
        return (number + 1) * 0x9E3779B97F4A7C15L;
    }
}
