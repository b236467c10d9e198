package io.spillway.broker.toggles;

/**
 * What a toggle is set to.
 *
 * @param value for those in scope whose bucket is below the rollout; the others have the fallback
 * @param rolloutBp the share of them in parts of ten thousand
 * @param expiresMs when it should be gone; 0 = never. It goes on to hold, and is warned of
 */
public record ToggleSetting(String value, int rolloutBp, ToggleScope scope, long expiresMs) {}
