package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.client.TopicDescription;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReaderEndTest {
    private static final long LONG_NS = Duration.ofSeconds(5).toNanos();

    /** Partition 0 holds [10,20), partition 1 is empty, partition 2 holds [0,5). */
    @ParameterizedTest
    @CsvSource({
        "latest, true",
        "earliest, false",
        "offset:0:19, false",
        "offset:0:20, true",
        "offset:1:0, true",
        "time:0, false"
    })
    void knowsFromTheStartWhetherThereIsAnythingToRead(String from, boolean reached) {
        ReaderEnd end = new ReaderEnd(topic(), Position.parse(from));

        assertThat(end.reached(0)).isEqualTo(reached);
    }

    @Test
    void aTimeAfterTheLastRecordEndsInSilence() {
        ReaderEnd end = new ReaderEnd(topic(), Position.parse("time:5"));

        assertThat(end.reached(LONG_NS)).isTrue();
    }

    @Test
    void silenceDoesNotEndAReaderThatKnowsItsStart() {
        ReaderEnd end = new ReaderEnd(topic(), Position.parse("earliest"));

        assertThat(end.reached(LONG_NS)).isFalse();
    }

    private static TopicDescription topic() {
        return new TopicDescription(
                "t",
                Map.of(),
                1,
                0,
                List.of(partition(0, 10, 20), partition(1, 7, 7), partition(2, 0, 5)),
                new TopicDescription.Life(0, "", ""));
    }

    private static TopicDescription.Partition partition(int index, long start, long end) {
        return new TopicDescription.Partition(index, start, end, end, 0, 0);
    }
}
