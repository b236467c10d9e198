package io.spillway.broker.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.idempotency.ProducerStates.Last;
import io.spillway.broker.idempotency.ProducerStates.Verdict;
import io.spillway.broker.records.ProducerState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ProducerStatesTest {
    private static final long PRODUCER = 77;

    private final ProducerStates states = new ProducerStates();
    private long nextOffset;

    @TestFactory
    Stream<DynamicTest> obeysTheSharedVectors() throws IOException {
        var file = Path.of(System.getProperty("spillway.root"), "vectors", "idempotency.json");
        var suite = new ObjectMapper().readTree(file.toFile());
        assertThat(suite.at("/config/window").asInt()).isEqualTo(ProducerStates.WINDOW);
        var tests = new ArrayList<DynamicTest>();
        for (var one : suite.get("cases")) {
            tests.add(DynamicTest.dynamicTest(one.toString(), () -> obeys(one)));
        }
        assertThat(tests).isNotEmpty();
        return tests.stream();
    }

    private void obeys(JsonNode one) {
        long producer = PRODUCER;
        if (one.has("note")) {
            assertThat(one.get("note").asText()).isEqualTo("after 70 single-record batches at epoch 0");
            producer = 78;
            for (int i = 0; i < 70; i++) {
                append(producer, 0, i, 1, i);
            }
        }
        int epoch = one.get("epoch").asInt();
        long base = one.get("base_sequence").asLong();
        int count = one.get("count").asInt();
        int crc = one.get("crc").asInt();

        var admission = states.admit(producer, epoch, base, count, crc);

        var expect = one.get("expect");
        assertThat(admission.verdict()).isEqualTo(verdictOf(expect));
        if (admission.verdict() == Verdict.NEW) {
            assertThat(append(producer, epoch, base, count, crc))
                    .isEqualTo(expect.get("base_offset").asLong());
        } else {
            assertThat(admission.baseOffset())
                    .isEqualTo(expect.path("base_offset").asLong(-1));
        }
        if (expect.has("expected")) {
            assertThat(admission.expectedSequence())
                    .isEqualTo(expect.get("expected").asLong());
        }
    }

    private static Verdict verdictOf(JsonNode expect) {
        return switch (expect.path("code").asText(expect.get("result").asText())) {
            case "APPENDED" -> Verdict.NEW;
            case "DUPLICATE" -> Verdict.DUPLICATE;
            case "IDEMPOTENCY_CONFLICT" -> Verdict.CONFLICT;
            case "SEQUENCE_GAP" -> Verdict.GAP;
            case "PRODUCER_FENCED" -> Verdict.FENCED;
            default -> throw new AssertionError("unknown expectation " + expect);
        };
    }

    @Test
    void remembersTheLast64BatchesWithTheirOffsetsAndTimes() {
        for (int i = 0; i < 100; i++) {
            append(PRODUCER, 0, 10L * i, 10, i);
        }

        var youngestForgotten = states.admit(PRODUCER, 0, 350, 10, 35);
        var oldestKept = states.admit(PRODUCER, 0, 360, 10, 36);

        assertThat(youngestForgotten.verdict()).isEqualTo(Verdict.DUPLICATE);
        assertThat(youngestForgotten.baseOffset()).isEqualTo(-1);
        assertThat(oldestKept.verdict()).isEqualTo(Verdict.DUPLICATE);
        assertThat(oldestKept.baseOffset()).isEqualTo(360);
        assertThat(oldestKept.appendTimeMs()).isEqualTo(1360);
    }

    @Test
    void refusesABatchThatReachesIntoTheWindowFromBelow() {
        for (int i = 0; i < 100; i++) {
            append(PRODUCER, 0, 10L * i, 10, i);
        }

        assertThat(states.admit(PRODUCER, 0, 355, 10, 1).verdict()).isEqualTo(Verdict.CONFLICT);
    }

    @Test
    void refusesABatchThatReachesBeyondTheLastOne() {
        append(PRODUCER, 0, 0, 10, 1);

        assertThat(states.admit(PRODUCER, 0, 5, 10, 2).verdict()).isEqualTo(Verdict.CONFLICT);
    }

    @Test
    void refusesTheSameSequencesInAnotherCount() {
        append(PRODUCER, 0, 0, 10, 1);

        assertThat(states.admit(PRODUCER, 0, 0, 9, 1).verdict()).isEqualTo(Verdict.CONFLICT);
    }

    @Test
    void takesASequenceAbove63BitsForAGap() {
        append(PRODUCER, 0, 0, 10, 1);

        assertThat(states.admit(PRODUCER, 0, -10, 5, 1).verdict()).isEqualTo(Verdict.GAP);
    }

    @Test
    void knowsTheLastBatchOfEachProducer() {
        append(PRODUCER, 3, 0, 10, 1);
        append(78, 0, 0, 5, 1);
        append(PRODUCER, 3, 10, 10, 2);

        assertThat(states.last(PRODUCER)).isEqualTo(new Last(3, 19, 24));
        assertThat(states.last(78)).isEqualTo(new Last(0, 4, 14));
        assertThat(states.last(79)).isNull();
    }

    @Test
    void forgetsProducersThatWereIdleTooLong() {
        append(PRODUCER, 0, 0, 10, 1);
        append(78, 0, 0, 10, 1);

        states.expire(1010);

        assertThat(states.size()).isEqualTo(1);
        assertThat(states.admit(PRODUCER, 0, 10, 1, 1).verdict()).isEqualTo(Verdict.GAP);
        assertThat(states.admit(78, 0, 10, 1, 1).verdict()).isEqualTo(Verdict.NEW);
    }

    @Test
    void isTheSameAfterSnapshotAndRestore() {
        for (int i = 0; i < 70; i++) {
            append(PRODUCER, 2, 3L * i, 3, -i);
        }
        append(78, 0, 0, 10, 1);

        var restored = new ProducerStates();
        snapshot(states).forEach(restored::restore);

        assertThat(snapshot(restored)).isEqualTo(snapshot(states));
        assertThat(restored.last(PRODUCER)).isEqualTo(states.last(PRODUCER));
        for (int i = 0; i < 70; i++) {
            assertThat(restored.admit(PRODUCER, 2, 3L * i, 3, -i)).isEqualTo(states.admit(PRODUCER, 2, 3L * i, 3, -i));
        }
    }

    /** Appends as the shard does: the offset is the next one, the time the offset plus 1000. */
    private long append(long producer, int epoch, long base, int count, int crc) {
        long offset = nextOffset;
        states.apply(producer, epoch, base, count, crc, offset, 1000 + offset);
        nextOffset += count;
        return offset;
    }

    private static List<ProducerState> snapshot(ProducerStates states) {
        var records = new ArrayList<ProducerState>();
        states.snapshot(records::add);
        return records;
    }
}
