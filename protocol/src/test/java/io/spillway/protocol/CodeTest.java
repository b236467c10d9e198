package io.spillway.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class CodeTest {
    @Test
    void isTheRegistry() throws IOException {
        Path file = Path.of(System.getProperty("spillway.root", ".."), "protocol", "codes.json");

        JsonNode codes = new ObjectMapper().readTree(file.toFile()).get("codes");

        assertThat(codes).hasSameSizeAs(Code.values());
        for (JsonNode entry : codes) {
            Code code = Objects.requireNonNull(Code.of(entry.get("code").asInt()), entry.toString());
            assertThat(code.name()).isEqualTo(entry.get("reason").asText());
            assertThat(code.retry().name())
                    .isEqualTo("RETRY_" + entry.get("retry").asText());
            assertThat(code.breaker().name()).isEqualTo(entry.get("breaker").asText());
            assertThat(
                            code.backoff() == Code.Backoff.NONE
                                    ? "-"
                                    : code.backoff().name())
                    .isEqualTo(entry.get("backoff").asText());
        }
    }

    @Test
    void knowsNoCodeOfANewerPeer() {
        assertThat(Code.of(9999)).isNull();
    }
}
