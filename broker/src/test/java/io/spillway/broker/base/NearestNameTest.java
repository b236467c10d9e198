package io.spillway.broker.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class NearestNameTest {
    private static final List<String> KNOWN = List.of("durability", "retention.ms", "retention.bytes");

    @Test
    void findsTheNameWithTheFewestChanges() {
        assertThat(NearestName.of("retention_ms", KNOWN)).hasValue("retention.ms");
        assertThat(NearestName.of("retention.byte", KNOWN)).hasValue("retention.bytes");
        assertThat(NearestName.of("durabillity", KNOWN)).hasValue("durability");
    }

    @Test
    void guessesNothingWhenMostWouldChange() {
        assertThat(NearestName.of("colour", KNOWN)).isEmpty();
        assertThat(NearestName.of("x", List.of())).isEmpty();
    }
}
