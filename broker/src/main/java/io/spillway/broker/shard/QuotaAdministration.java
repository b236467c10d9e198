package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.records.QuotaDropped;
import io.spillway.broker.records.QuotaKept;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import java.util.List;

/** Sets quotas and takes them away. Confined to the shard thread. */
final class QuotaAdministration {
    private static final int MAX_QUOTAS = 1_000;

    private final ShardState state;
    private final Journal journal;

    QuotaAdministration(ShardState state, Journal journal) {
        this.state = state;
        this.journal = journal;
    }

    void set(ShardCommand.SetQuota command) {
        Quota quota = command.quota();
        if (state.operators.quotas.view().all().size() >= MAX_QUOTAS && !isKnown(quota.scope(), quota.name())) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "quota " + quota.key() + " is not set",
                    "there are " + MAX_QUOTAS + " already, and there can be no more",
                    "remove some: spillway quota remove; or set one for " + Quota.ANY);
        }
        commit(
                StateRecord.newBuilder()
                        .setQuotaKept(QuotaKept.newBuilder()
                                .setScope(quota.scope().ordinal())
                                .setName(quota.name())
                                .setBytesPerSecond(quota.rate().perSecond())
                                .setBurstBytes(quota.rate().burst()))
                        .build(),
                command.reply());
    }

    void remove(ShardCommand.RemoveQuota command) {
        if (!isKnown(command.scope(), command.name())) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "there is no quota " + command.scope().text() + ":" + command.name(),
                    "it was never set, or is removed",
                    "see spillway quota show");
        }
        commit(
                StateRecord.newBuilder()
                        .setQuotaDropped(QuotaDropped.newBuilder()
                                .setScope(command.scope().ordinal())
                                .setName(command.name()))
                        .build(),
                command.reply());
    }

    private boolean isKnown(Quota.Scope scope, String name) {
        Quota quota = state.operators.quotas.view().of(scope, name);
        return quota != null && quota.name().equals(name);
    }

    private void commit(StateRecord record, Reply<Boolean> reply) {
        journal.whenDurable(journal.commit(List.of(record)), new ReplyWhenDurable<>(true, reply));
    }
}
