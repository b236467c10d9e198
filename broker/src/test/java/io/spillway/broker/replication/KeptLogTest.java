package io.spillway.broker.replication;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeptLogTest {
    private static final RaftPoint FAR = new RaftPoint(1, Long.MAX_VALUE);

    private static KeptLog after(long keptBytes, int entries) {
        KeptLog log = new KeptLog(keptBytes);
        for (int i = 0; i < entries; i++) {
            log.passed(1, i, 100);
        }
        return log;
    }

    @Test
    void whatIsWantedStaysWhateverTheSizeOfEntries() {
        assertThat(after(3_200, 32).dispensable(FAR)).isEqualTo(RaftPoint.NONE);
        assertThat(after(3_200, 40).dispensable(FAR)).isEqualTo(new RaftPoint(1, 7));
    }

    @Test
    void nothingGoesThatTheFilesDoNotHold() {
        KeptLog log = after(3_200, 1_000);

        assertThat(log.dispensable(new RaftPoint(1, 20))).isEqualTo(new RaftPoint(1, 20));
        assertThat(log.dispensable(new RaftPoint(1, 20))).isEqualTo(RaftPoint.NONE);
        assertThat(log.dispensable(FAR)).isEqualTo(new RaftPoint(1, 967));
    }

    @Test
    void withNothingToKeepAllGoesThatTheFilesHold() {
        assertThat(after(0, 10).dispensable(new RaftPoint(1, 5))).isEqualTo(new RaftPoint(1, 5));
    }
}
