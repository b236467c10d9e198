package io.spillway.broker.shard;

import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleKind;
import io.spillway.broker.toggles.ToggleSetting;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of a toggle.
 *
 * @param kind of an application's toggle that is new; null = on or off for a share
 * @param to what it is set to; null = nobody sets it any more, and it has its fallback
 * @param expectRevision what it must have for the change to be made: 0 = it is not set; {@link #ANY}
 * @param revertAfterMs after what time it becomes what it was, unless it is confirmed; 0 = it stays
 */
public record ToggleChange(
        Act act,
        String name,
        @Nullable ToggleKind kind,
        @Nullable ToggleSetting to,
        long expectRevision,
        long revertAfterMs,
        Toggle.Why why) {
    public static final long ANY = -1;

    /** What is done. */
    public enum Act {
        SET,
        /** It stays what it is. */
        CONFIRM,
        /** It becomes what it was. */
        REVERT
    }

    /**
     * It is done.
     *
     * @param now null: nobody sets it any more
     * @param revision of all toggles
     */
    public record Done(String name, @Nullable ToggleSetting now, long revision, long revertAtMs) {}

    public static ToggleChange set(
            String name, @Nullable ToggleKind kind, @Nullable ToggleSetting to, long expectRevision, Toggle.Why why) {
        return new ToggleChange(Act.SET, name, kind, to, expectRevision, 0, why);
    }

    public static ToggleChange confirm(String name, long expectRevision, Toggle.Why why) {
        return new ToggleChange(Act.CONFIRM, name, null, null, expectRevision, 0, why);
    }

    public static ToggleChange revert(String name, long expectRevision, Toggle.Why why) {
        return new ToggleChange(Act.REVERT, name, null, null, expectRevision, 0, why);
    }

    public ToggleChange revertAfter(long ms) {
        return new ToggleChange(act, name, kind, to, expectRevision, ms, why);
    }
}
