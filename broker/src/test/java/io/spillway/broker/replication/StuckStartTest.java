package io.spillway.broker.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StuckStartTest {
    private static final int HEADER_BYTES = 8;
    private static final int CRC_BYTES = 4;

    @TempDir
    Path dir;

    @Test
    void twoNodesElectALeaderThoughOneStoppedBetweenTheConfigurations() throws Exception {
        try (TestCluster cluster = new TestCluster(dir)) {
            cluster.start("n1", "a");
            cluster.start("n2", "b");
            cluster.awaitVoters("n1", "n2");
            // Only with the newest configuration in the second log does this commit.
            List<String> texts = cluster.propose("a", 1);
            cluster.awaitTexts(texts);
            cluster.close("n2");
            cluster.close("n1");
            cluster.replica("n1").crash();
            cluster.replica("n2").crash();
            forgetAllAfterTheJointConfiguration(dir.resolve("n2"));

            cluster.restart("n1");
            cluster.restart("n2");

            texts.addAll(cluster.propose("b", 10));
            cluster.awaitTexts(texts);
        }
    }

    /** Cuts the log after the entry that names an old configuration without, and a new one with two voters. */
    private static void forgetAllAfterTheJointConfiguration(Path node) throws IOException {
        try (Stream<Path> files = Files.walk(node)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (file.getFileName().toString().equals("raft-meta.conf")) {
                    Files.delete(file);
                } else if (file.getFileName().toString().startsWith("log_inprogress")) {
                    cut(file);
                }
            }
        }
    }

    private static void cut(Path log) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(log));
        bytes.position(HEADER_BYTES);
        while (bytes.hasRemaining()) {
            byte[] entry = new byte[varint(bytes)];
            bytes.get(entry);
            bytes.position(bytes.position() + CRC_BYTES);
            RaftConfigurationProto configuration =
                    LogEntryProto.parseFrom(entry).getConfigurationEntry();
            if (configuration.getPeersCount() == 2 && configuration.getOldPeersCount() == 1) {
                Files.write(log, java.util.Arrays.copyOf(bytes.array(), bytes.position()));
                return;
            }
        }
        assertThat(log).as("no joint configuration in it").doesNotExist();
    }

    private static int varint(ByteBuffer bytes) {
        int value = 0;
        int shift = 0;
        byte next;
        do {
            next = bytes.get();
            value |= (next & 0x7f) << shift;
            shift += 7;
        } while (next < 0);
        return value;
    }
}
