package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RangesTest {
    private record Place(int partition, long offset) {}

    private static List<Place> places(Ranges ranges) {
        List<Place> all = new ArrayList<>();
        for (Ranges.InPartition in : ranges.partitions()) {
            for (int i = 0; i < in.bounds().length; i += 2) {
                for (long offset = in.bounds()[i]; offset < in.bounds()[i + 1]; offset++) {
                    all.add(new Place(in.partition(), offset));
                }
            }
        }
        return all;
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void whatWasAddedIsThereAlsoAfterEncoding(long seed) {
        Random random = new Random(seed);
        Ranges.Builder builder = new Ranges.Builder();
        List<Place> added = new ArrayList<>();
        for (int partition = 0; partition < 4; partition += 1 + random.nextInt(2)) {
            TreeSet<Long> offsets = new TreeSet<>();
            long at = random.nextLong(1L << 40);
            for (int i = random.nextInt(2_000); i >= 0; i--) {
                at += random.nextInt(4) == 0 ? 1 + random.nextLong(1 << random.nextInt(1, 20)) : 1;
                offsets.add(at);
            }
            for (long offset : offsets) {
                builder.add(partition, offset);
                added.add(new Place(partition, offset));
            }
        }
        Ranges ranges = builder.build();

        Ranges decoded = Ranges.decode(ranges.encode());

        assertThat(places(ranges)).isEqualTo(added);
        assertThat(places(decoded)).isEqualTo(added);
        assertThat(decoded.records()).isEqualTo(added.size());
        assertThat((long) ranges.encode().length).isLessThan(builder.bytes() + 2L * added.size() + 64);
    }
}
