package io.spillway.broker.flow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.spillway.protocol.Vectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FlowVectorsTest {
    private static final List<String> STATES = List.of("NORMAL", "ELEVATED", "THROTTLED", "OVERLOADED", "READ_ONLY");

    private long state;

    @Test
    void aRateThatIsOverdrawnSaysHowLongToWait() {
        JsonNode config = Vectors.header("token_bucket").get("config");
        TokenBucket bucket = new TokenBucket(
                config.get("rate_per_s").asLong(),
                config.get("burst").asLong(),
                config.get("cap_ms").asInt());
        state = bucket.full(0);

        Vectors.run("token_bucket", Set.of("at_ms", "cost", "expect"), one -> {
            long nowNs = one.get("at_ms").asLong() * 1_000_000;
            state = bucket.charge(state, nowNs, one.get("cost").asLong());

            JsonNode expect = one.get("expect");
            assertThat(bucket.waitMs(state, nowNs))
                    .isEqualTo(expect.get("throttle_ms").asInt());
            assertThat(bucket.available(state, nowNs) * 1000)
                    .isEqualTo(expect.get("tokens_milli").asLong());
        });
    }

    @Test
    void pressureRisesFastAndFallsSlowly() {
        JsonNode config = Vectors.header("pressure").get("config");
        assertThat(config.get("down_ticks").asInt()).isEqualTo(PressureLevel.DOWN_TICKS);

        Vectors.run("pressure", Set.of("name", "input", "expect"), one -> {
            PressureLevel level = new PressureLevel(lines(config.get("enter")), lines(config.get("exit")));
            List<String> states = new ArrayList<>();
            one.get("input").forEach(value -> states.add(STATES.get(level.tick(value.asLong()))));

            List<String> expected = new ArrayList<>();
            one.get("expect").forEach(value -> expected.add(value.asText()));
            assertThat(states).isEqualTo(expected);
        });
    }

    /** Without that of level 0. */
    private static long[] lines(JsonNode all) {
        long[] lines = new long[all.size() - 1];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = all.get(i + 1).asLong();
        }
        return lines;
    }

    @Test
    void turnsAreFairInBytes() {
        int quantum = Vectors.header("drr").get("config").get("quantum").asInt();

        Vectors.run("drr", Set.of("queues", "weights", "budget", "expect"), one -> {
            JsonNode weights = one.get("weights");
            FairQueue<String> queue = new FairQueue<>(
                    quantum, (level, name) -> weights.get((Integer) name).asInt());
            for (int i = 0; i < one.get("queues").size(); i++) {
                for (JsonNode bytes : one.get("queues").get(i)) {
                    queue.add("[" + i + "," + bytes.asInt() + "]", bytes.asInt(), i);
                }
            }
            List<String> taken = new ArrayList<>();
            for (int i = 0; i < one.get("budget").asInt(); i++) {
                taken.add(queue.poll());
            }

            assertThat(taken.toString().replace(" ", ""))
                    .isEqualTo(one.get("expect").toString());
        });
    }
}
