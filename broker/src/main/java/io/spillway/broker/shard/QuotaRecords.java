package io.spillway.broker.shard;

import io.spillway.broker.flow.Quota;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.records.QuotaKept;
import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecord;
import java.util.LinkedHashMap;
import java.util.Map;

/** The quotas, as shard 0 remembers them. Confined to the shard thread; what {@link #view} gives is immutable. */
final class QuotaRecords {
    private final Map<String, QuotaKept> quotas = new LinkedHashMap<>();
    private Quotas view = Quotas.NONE;

    /** One record of the kinds that speak of quotas. */
    void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case QUOTA_KEPT -> quotas.put(key(record.getQuotaKept()), record.getQuotaKept());
            case QUOTA_DROPPED ->
                quotas.remove(key(QuotaKept.newBuilder()
                        .setScope(record.getQuotaDropped().getScope())
                        .setName(record.getQuotaDropped().getName())
                        .build()));
            default -> throw new IllegalArgumentException("not of quotas: " + record.getKindCase());
        }
        show();
    }

    private static String key(QuotaKept quota) {
        return quota.getScope() + ":" + quota.getName();
    }

    private void show() {
        view = new Quotas(quotas.values().stream()
                .filter(kept -> kept.getScope() < Quota.Scope.values().length)
                .map(kept -> Quota.of(
                        Quota.Scope.values()[kept.getScope()],
                        kept.getName(),
                        kept.getBytesPerSecond(),
                        kept.getBurstBytes()))
                .toList());
    }

    Quotas view() {
        return view;
    }

    void snapshot(Snapshot.Builder out) {
        out.addAllQuotas(quotas.values());
    }

    void restore(Snapshot from) {
        from.getQuotasList().forEach(quota -> quotas.put(key(quota), quota));
        show();
    }
}
