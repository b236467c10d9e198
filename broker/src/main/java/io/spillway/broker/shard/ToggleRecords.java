package io.spillway.broker.shard;

import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.ToggleKept;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleDefinition;
import io.spillway.broker.toggles.ToggleKind;
import io.spillway.broker.toggles.ToggleScope;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.broker.toggles.Toggles;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The toggles, as shard 0 remembers them. Confined to the shard thread; what {@link #view} gives is immutable. */
final class ToggleRecords {
    private final Map<String, ToggleKept> toggles = new LinkedHashMap<>();
    private long revision;
    private Toggles view = Toggles.NONE;

    /** One record of the kinds that speak of toggles. */
    void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case TOGGLE_KEPT -> {
                toggles.put(record.getToggleKept().getName(), record.getToggleKept());
                revision = record.getToggleKept().getRevision();
            }
            case TOGGLE_DROPPED -> {
                toggles.remove(record.getToggleDropped().getName());
                revision = record.getToggleDropped().getRevision();
            }
            default -> throw new IllegalArgumentException("not of toggles: " + record.getKindCase());
        }
        show();
    }

    /** What this broker has no code for does not count here; it stays in the log, for one that has. */
    private void show() {
        view = new Toggles(
                revision,
                toggles.values().stream()
                        .filter(kept -> KnownToggles.isKnown(kept.getName()))
                        .map(ToggleRecords::toggle)
                        .toList());
    }

    private static Toggle toggle(ToggleKept kept) {
        ToggleKind[] kinds = ToggleKind.values();
        ToggleDefinition definition =
                KnownToggles.get(kept.getName(), kinds[Math.min(kept.getKind(), kinds.length - 1)]);
        return new Toggle(
                definition,
                setting(kept.getSetting()),
                kept.hasBefore() ? setting(kept.getBefore()) : null,
                kept.getRevision(),
                kept.getChangedMs(),
                kept.getRevertAtMs(),
                new Toggle.Why(kept.getWho(), kept.getReason(), kept.getTicket()));
    }

    private static ToggleSetting setting(io.spillway.broker.records.ToggleSetting record) {
        return new ToggleSetting(
                record.getValue(), record.getRolloutBp(), ToggleScope.parse(record.getScope()), record.getExpiresMs());
    }

    static io.spillway.broker.records.ToggleSetting record(ToggleSetting setting) {
        return io.spillway.broker.records.ToggleSetting.newBuilder()
                .setValue(setting.value())
                .setRolloutBp(setting.rolloutBp())
                .setScope(setting.scope().toString())
                .setExpiresMs(setting.expiresMs())
                .build();
    }

    @Nullable
    Toggle find(String name) {
        return view.find(name);
    }

    Toggles view() {
        return view;
    }

    void snapshot(Snapshot.Builder out) {
        out.addAllToggles(toggles.values()).setTogglesRevision(revision);
    }

    void restore(Snapshot from) {
        from.getTogglesList().forEach(toggle -> toggles.put(toggle.getName(), toggle));
        revision = from.getTogglesRevision();
        show();
    }
}
