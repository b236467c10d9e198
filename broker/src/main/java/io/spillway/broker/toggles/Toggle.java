package io.spillway.broker.toggles;

import org.jspecify.annotations.Nullable;

/**
 * A toggle that somebody set.
 *
 * @param before what it was; null = its fallback
 * @param revision of all toggles, when it was set
 * @param revertAtMs when it becomes what it was, unless it is confirmed; 0 = it stays
 */
public record Toggle(
        ToggleDefinition definition,
        ToggleSetting setting,
        @Nullable ToggleSetting before,
        long revision,
        long changedMs,
        long revertAtMs,
        Why why) {

    /** Who set it and why. */
    public record Why(String who, String reason, String ticket) {}

    public String name() {
        return definition.name();
    }

    public boolean isExpired(long nowMs) {
        return setting.expiresMs() != 0 && nowMs >= setting.expiresMs();
    }

    public boolean isDue(long nowMs) {
        return revertAtMs != 0 && nowMs >= revertAtMs;
    }
}
