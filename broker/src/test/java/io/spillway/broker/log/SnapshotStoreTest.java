package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotStoreTest {
    @TempDir
    Path directory;

    private SnapshotStore store;

    @BeforeEach
    void open() {
        store = new SnapshotStore(directory);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void hasNoneAtFirst() throws IOException {
        assertThat(store.latest()).isNull();
    }

    @Test
    void keepsTheNewestTwo() throws IOException {
        store.write(5, bytes("five"));
        store.write(70, bytes("seventy"));
        store.write(100, bytes("hundred"));

        assertThat(store.latest()).isNotNull().satisfies(latest -> {
            assertThat(latest.sequence()).isEqualTo(100);
            assertThat(latest.bytes()).isEqualTo(bytes("hundred"));
        });
        assertThat(LogFixtureFiles.all(directory)).hasSize(2);
    }

    @Test
    void fallsBackWhenTheNewestIsDamaged() throws IOException {
        store.write(5, bytes("five"));
        store.write(70, bytes("seventy"));
        Harm.flip(LogFixtureFiles.all(directory).get(1), 27);

        List<LogProblem> problems = new ArrayList<>();
        assertThat(store.latest(problems))
                .isNotNull()
                .satisfies(latest -> assertThat(latest.sequence()).isEqualTo(5));
        assertThat(problems).extracting(LogProblem::kind).containsExactly(LogProblem.Kind.BAD_SNAPSHOT);
    }

    @Test
    void sequencesGoOnAfterASnapshotWhoseLogIsGone(@TempDir Path shard) throws IOException {
        try (LogFixture fixture = new LogFixture(shard)) {
            fixture.append(1, 1, 1);
            fixture.log().snapshots().write(1000, bytes("state"));
            fixture.reopen();

            assertThat(fixture.log().nextSequence()).isEqualTo(1000);
        }
    }
}
