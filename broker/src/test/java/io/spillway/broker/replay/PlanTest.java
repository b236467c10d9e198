package io.spillway.broker.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplaySelection;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class PlanTest {
    @TempDir
    Path directory;

    private static Stream<ReplaySelection.Builder> selectionsOfPartition2() {
        Start inPartition2 = Start.newBuilder().setKind(3).setPartition(2).build();
        return Stream.of(
                ReplayFixture.of("orders").addPartitions(0).addPartitions(2),
                ReplayFixture.of("orders").setFrom(inPartition2),
                ReplayFixture.of("orders").setTo(inPartition2));
    }

    @ParameterizedTest
    @MethodSource("selectionsOfPartition2")
    void aPartitionThatIsNotThereIsRefusedNotFoundEmpty(ReplaySelection.Builder selection) {
        try (ReplayFixture replays = new ReplayFixture(directory.resolve("shard"))) {
            replays.shard.createTopic("orders", 2, Map.of());

            assertThatThrownBy(() -> replays.plan(selection)).isInstanceOfSatisfying(SpillwayException.class, why -> {
                assertThat(why.code()).isEqualTo(Code.INVALID_ARGUMENT);
                assertThat(why.what()).isEqualTo("topic orders has no partition 2");
            });
        }
    }
}
