package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
    @TempDir
    Path root;

    @Test
    void keepsNodeAndShardsOfItsCreation() {
        try (DataDirectory first = DataDirectory.open(root.resolve("data"), "node-a", 2)) {
            assertThat(first.shards()).isEqualTo(2);
        }

        try (DataDirectory again = DataDirectory.open(root.resolve("data"), "", 4)) {
            assertThat(again.nodeId()).isEqualTo("node-a");
            assertThat(again.shards()).isEqualTo(2);
            assertThat(again.shard(1)).isDirectory();
        }
    }

    @Test
    void refusesASecondHolder() {
        try (DataDirectory first = DataDirectory.open(root, "", 1)) {
            assertThat(first.nodeId()).isNotEmpty();
            assertThatThrownBy(() -> DataDirectory.open(root, "", 1))
                    .isInstanceOf(SpillwayException.class)
                    .hasMessageContaining(root.toString());
            assertThatThrownBy(() -> LogVerifier.verify(root)).isInstanceOf(SpillwayException.class);
        }

        DataDirectory.open(root, "", 1).close();
    }

    @Test
    void refusesAFile() throws IOException {
        Path file = Files.writeString(root.resolve("file"), "x");

        assertThatThrownBy(() -> DataDirectory.open(file, "", 1))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.why()).contains("file"));
        assertThatThrownBy(() -> DataDirectory.open(file.resolve("below"), "", 1))
                .isInstanceOf(SpillwayException.class);
    }

    @Test
    void refusesAnotherNodeAndAnotherFormat() throws IOException {
        DataDirectory.open(root, "node-a", 1).close();

        assertThatThrownBy(() -> DataDirectory.open(root, "node-b", 1))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.why()).contains("node-a"));
        Files.writeString(root.resolve("spillway.meta"), "format=2\nnode=node-a\nshards=1\n");
        assertThatThrownBy(() -> DataDirectory.open(root, "", 1))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.why()).contains("format"));
    }

    @Test
    void refusesDataWhoseDescriptionIsGone() throws IOException {
        DataDirectory.open(root, "node-a", 1).close();
        Files.delete(root.resolve("spillway.meta"));

        assertThatThrownBy(() -> DataDirectory.open(root, "node-a", 1)).isInstanceOf(SpillwayException.class);
    }

    @Test
    void toolsRefuseWhatIsNoDataDirectory() {
        assertThatThrownBy(() -> LogVerifier.verify(root))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.what()).contains("not a data directory"));
        assertThatThrownBy(() -> LogDumper.dump(root, entry -> true)).isInstanceOf(SpillwayException.class);
    }
}
