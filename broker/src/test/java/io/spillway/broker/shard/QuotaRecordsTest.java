package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.flow.Quotas;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Quotas are what the log and its snapshots say. */
class QuotaRecordsTest {
    @TempDir
    Path directory;

    private ShardFixture shard;

    @BeforeEach
    void open() {
        shard = new ShardFixture(directory.resolve("shard"));
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private void set(Quota quota) {
        shard.ask((Reply<Boolean> reply) -> new ShardCommand.SetQuota(quota, reply));
    }

    private Quotas quotas() {
        return shard.state().operators.quotas.view();
    }

    @Test
    void whatWasSetHoldsAfterARestartAndAfterAKill() {
        Quota first = Quota.of(Quota.Scope.DOMAIN, "rust", 1_000, 2_000);
        Quota second = Quota.of(Quota.Scope.PRINCIPAL_TOPIC, "billing/orders", 5, 6);
        set(Quota.of(Quota.Scope.DOMAIN, "rust", 1, 1));
        set(first);

        shard.restart();
        set(second);
        shard.kill();

        assertThat(quotas().all()).containsExactlyInAnyOrder(first, second);
    }

    @Test
    void aNameWithoutAQuotaHasThatOfEach() {
        Quota each = Quota.of(Quota.Scope.PRINCIPAL, Quota.ANY, 10, 10);
        Quota own = Quota.of(Quota.Scope.PRINCIPAL, "billing", 99, 99);
        set(each);
        set(own);

        assertThat(quotas().of(Quota.Scope.PRINCIPAL, "billing")).isEqualTo(own);
        assertThat(quotas().of(Quota.Scope.PRINCIPAL, "other")).isEqualTo(each);
        assertThat(quotas().of(Quota.Scope.TOPIC, "other")).isNull();
    }

    @Test
    void oneThatIsRemovedIsGone() {
        set(Quota.of(Quota.Scope.TOPIC, "orders", 10, 10));

        shard.ask((Reply<Boolean> reply) -> new ShardCommand.RemoveQuota(Quota.Scope.TOPIC, "orders", reply));
        shard.restart();

        assertThat(quotas().isEmpty()).isTrue();
        assertThatThrownBy(() -> shard.ask(
                        (Reply<Boolean> reply) -> new ShardCommand.RemoveQuota(Quota.Scope.TOPIC, "orders", reply)))
                .isInstanceOf(SpillwayException.class)
                .hasMessageContaining("no quota topic:orders");
    }
}
