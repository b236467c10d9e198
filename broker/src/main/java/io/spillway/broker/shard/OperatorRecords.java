package io.spillway.broker.shard;

import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecord;

/** What operators have set, as shard 0 remembers it. Confined to the shard thread; its views are immutable. */
final class OperatorRecords {
    /** How much may be published. */
    final QuotaRecords quotas = new QuotaRecords();
    /** What was toggled. */
    final ToggleRecords toggles = new ToggleRecords();
    /** Who may come in and do what. */
    final AccessRecords access = new AccessRecords();

    /** One record of the kinds that speak of it. */
    void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case QUOTA_KEPT, QUOTA_DROPPED -> quotas.apply(record);
            case TOGGLE_KEPT, TOGGLE_DROPPED -> toggles.apply(record);
            default -> access.apply(record);
        }
    }

    void snapshot(Snapshot.Builder out) {
        quotas.snapshot(out);
        toggles.snapshot(out);
        access.snapshot(out);
    }

    void restore(Snapshot from) {
        quotas.restore(from);
        toggles.restore(from);
        access.restore(from);
    }
}
