package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.Clock;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.broker.shard.ToggleChange;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.broker.toggles.Toggles;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Shows and changes the toggles; changes are audited, and answered once they are durable. Thread-safe. */
public final class ToggleSettings {
    private static final String FALLBACK = "default";

    private final AuditedChanges changes;
    private final Supplier<Toggles> toggles;
    private final Clock clock;

    /** @param mailbox of the shard that keeps them */
    public ToggleSettings(Mailbox mailbox, Audit audit, Supplier<Toggles> toggles, Clock clock) {
        changes = new AuditedChanges(mailbox, audit, "toggles are");
        this.toggles = toggles;
        this.clock = clock;
    }

    public Toggles all() {
        return toggles.get();
    }

    /** How many should be gone by now. */
    public long expired() {
        long nowMs = clock.nowMs();
        return all().all().stream().filter(toggle -> toggle.isExpired(nowMs)).count();
    }

    /** The class from which on publishes are refused, of some clients at least; empty when that is of none. */
    public OptionalInt shedClassMin() {
        Toggle toggle = all().find(KnownToggles.SHED_CLASS_MIN);
        if (toggle == null || toggle.setting().rolloutBp() == 0) {
            return OptionalInt.empty();
        }
        String value = toggle.setting().value();
        boolean isKnown = toggle.definition().values().contains(value) && !value.equals(KnownToggles.NONE);
        return isKnown ? OptionalInt.of(Integer.parseInt(value)) : OptionalInt.empty();
    }

    public boolean isExpired(Toggle toggle) {
        return toggle.isExpired(clock.nowMs());
    }

    public CompletableFuture<ToggleChange.Done> change(ToggleChange change) {
        KnownToggles.get(change.name(), change.kind());
        return changes.change(
                entry(change),
                audited -> new ShardCommand.ChangeToggle(change, audited),
                done -> "revision " + done.revision() + ": " + text(done.now()));
    }

    private AuditEntry entry(ToggleChange change) {
        Toggle known = all().find(change.name());
        Map<String, String> detail = new LinkedHashMap<>();
        detail.put("toggle", change.name());
        detail.put("from", text(known == null ? null : known.setting()));
        if (change.act() == ToggleChange.Act.SET) {
            detail.put("to", text(change.to()));
        }
        if (change.expectRevision() != ToggleChange.ANY) {
            detail.put("expect_revision", Long.toString(change.expectRevision()));
        }
        if (change.revertAfterMs() > 0) {
            detail.put("revert_after_ms", Long.toString(change.revertAfterMs()));
        }
        if (!change.why().ticket().isEmpty()) {
            detail.put("ticket", change.why().ticket());
        }
        String operation = switch (change.act()) {
            case SET -> "toggle.set";
            case CONFIRM -> "toggle.confirm";
            case REVERT -> "toggle.revert";
        };
        return new AuditEntry(
                change.why().who(), operation, "", "", change.why().reason(), detail);
    }

    /** A setting in a few words. */
    static String text(@Nullable ToggleSetting setting) {
        if (setting == null) {
            return FALLBACK;
        }
        String scope = setting.scope().isAll() ? "" : " of " + setting.scope();
        return setting.value() + " for " + setting.rolloutBp() + "/10000" + scope;
    }
}
