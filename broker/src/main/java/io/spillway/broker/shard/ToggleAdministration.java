package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.ToggleDropped;
import io.spillway.broker.records.ToggleKept;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleDefinition;
import io.spillway.broker.toggles.ToggleKind;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.protocol.Code;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sets toggles, confirms them and takes them back. Confined to the shard thread. */
final class ToggleAdministration {
    private static final int MAX_TOGGLES = 100;

    private final ShardState state;
    private final Journal journal;

    ToggleAdministration(ShardState state, Journal journal) {
        this.state = state;
        this.journal = journal;
    }

    void change(ShardCommand.ChangeToggle command, long nowMs) {
        ToggleChange change = command.change();
        Toggle known = state.operators.toggles.find(change.name());
        requireRevision(change, known);
        switch (change.act()) {
            case SET -> set(command, known, nowMs);
            case CONFIRM -> {
                Toggle toggle = require(change, known);
                keep(command, toggle.definition(), toggle.setting(), toggle.before(), 0, nowMs);
            }
            case REVERT -> {
                Toggle toggle = require(change, known);
                put(command, toggle.definition(), toggle.before(), toggle.setting(), 0, nowMs);
            }
        }
    }

    private static void requireRevision(ToggleChange change, @Nullable Toggle known) {
        long revision = known == null ? 0 : known.revision();
        if (change.expectRevision() != ToggleChange.ANY && change.expectRevision() != revision) {
            throw new SpillwayException(
                    Code.REVISION_MISMATCH,
                    "toggle " + change.name() + " has revision " + revision + ", not " + change.expectRevision(),
                    "it was changed since you read it",
                    "read it again and decide: spillway toggle show " + change.name());
        }
    }

    private static Toggle require(ToggleChange change, @Nullable Toggle known) {
        if (known == null) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "toggle " + change.name() + " is not set",
                    "it has its fallback",
                    "see spillway toggle list");
        }
        return known;
    }

    private void set(ShardCommand.ChangeToggle command, @Nullable Toggle known, long nowMs) {
        ToggleChange change = command.change();
        ToggleSetting to = change.to();
        ToggleKind kind = change.kind() != null || known == null
                ? change.kind()
                : known.definition().kind();
        ToggleDefinition definition = KnownToggles.get(change.name(), kind);
        if (to == null) {
            require(change, known);
        } else {
            KnownToggles.check(definition, to);
        }
        if (known == null && state.operators.toggles.view().all().size() >= MAX_TOGGLES) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "toggle " + change.name() + " is not set",
                    "there are " + MAX_TOGGLES + " already, and there can be no more",
                    "give those back that nobody asks: spillway toggle set NAME default");
        }
        long revertAtMs = change.revertAfterMs() == 0 ? 0 : nowMs + change.revertAfterMs();
        put(command, definition, to, confirmed(known), revertAtMs, nowMs);
    }

    /** What it goes back to: not to what nobody has confirmed. */
    private static @Nullable ToggleSetting confirmed(@Nullable Toggle known) {
        if (known == null) {
            return null;
        }
        return known.revertAtMs() == 0 ? known.setting() : known.before();
    }

    private void put(
            ShardCommand.ChangeToggle command,
            ToggleDefinition definition,
            @Nullable ToggleSetting to,
            @Nullable ToggleSetting before,
            long revertAtMs,
            long nowMs) {
        if (to != null) {
            keep(command, definition, to, before, revertAtMs, nowMs);
            return;
        }
        if (revertAtMs != 0) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "toggle " + definition.name() + " cannot be reverted after it was given back",
                    "what is not set has nothing to go back from",
                    "set it to " + definition.fallback() + " instead");
        }
        ToggleDropped dropped = ToggleDropped.newBuilder()
                .setName(definition.name())
                .setRevision(nextRevision())
                .build();
        commit(StateRecord.newBuilder().setToggleDropped(dropped).build(), null, 0, command);
    }

    private void keep(
            ShardCommand.ChangeToggle command,
            ToggleDefinition definition,
            ToggleSetting to,
            @Nullable ToggleSetting before,
            long revertAtMs,
            long nowMs) {
        Toggle.Why why = command.change().why();
        ToggleKept.Builder kept = ToggleKept.newBuilder()
                .setName(definition.name())
                .setKind(definition.kind().ordinal())
                .setSetting(ToggleRecords.record(to))
                .setRevision(nextRevision())
                .setChangedMs(nowMs)
                .setRevertAtMs(revertAtMs)
                .setWho(why.who())
                .setReason(why.reason())
                .setTicket(why.ticket());
        if (before != null) {
            kept.setBefore(ToggleRecords.record(before));
        }
        commit(StateRecord.newBuilder().setToggleKept(kept).build(), to, revertAtMs, command);
    }

    private long nextRevision() {
        return state.operators.toggles.view().revision() + 1;
    }

    private void commit(
            StateRecord record, @Nullable ToggleSetting now, long revertAtMs, ShardCommand.ChangeToggle command) {
        long sequence = journal.commit(List.of(record));
        ToggleChange.Done done = new ToggleChange.Done(
                command.change().name(), now, state.operators.toggles.view().revision(), revertAtMs);
        journal.whenDurable(sequence, new ReplyWhenDurable<>(done, command.reply()));
    }
}
