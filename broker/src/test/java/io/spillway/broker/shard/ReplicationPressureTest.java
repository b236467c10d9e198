package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ReplicationConfig;
import io.spillway.protocol.Code;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Publishes wait while the cluster is busy, and are refused when it does not agree. */
class ReplicationPressureTest {
    private final ReplicationPressure pressure = new ReplicationPressure();

    @Test
    void publishesWaitWhileThereIsRoomNowAndThen() {
        for (long nowMs = 0; nowMs < 10_000; nowMs += 100) {
            assertThat(pressure.look(nowMs % 400 != 0, nowMs)).isNull();
        }
    }

    @Test
    void publishesAreRefusedOnceThereWasNoRoomForLong() {
        assertThat(pressure.look(true, 1_000)).isNull();
        assertThat(pressure.look(true, 1_000 + ReplicationPressure.PATIENCE_MS - 1))
                .isNull();

        SpillwayException why =
                Objects.requireNonNull(pressure.look(true, 1_000 + ReplicationPressure.PATIENCE_MS), "a refusal");

        assertThat(why.code()).isEqualTo(Code.THROTTLED);
        assertThat(why.retryAfterMs()).isPositive();
        assertThat(why.metadata()).containsEntry("reason", "REPLICATION");
        assertThat(pressure.look(false, 2_000)).isNull();
    }

    /** So that the engine never refuses what the shard has taken: that would cost it its leadership. */
    @Test
    void whatIsProposedAtATimeFitsWhatTheEngineTakes() {
        assertThat((long) AgreedLedger.MAX_PROPOSED * Consensus.MAX_ENTRY_BYTES)
                .isLessThan(ReplicationConfig.DEFAULT_MAX_PENDING_BYTES);
    }
}
