package io.spillway.broker.dispatch;

/**
 * What a member said of itself.
 *
 * @param reasons why it is in that state, in words; empty for READY
 * @param utilPm how much of what it has is in use, in per mille; 0 = unknown
 * @param rpsMilli records a second, times 1,000; 0 = unknown
 * @param epsMilli failures a second, times 1,000
 * @param wantsHandoff it asks to be relieved of its keys, or its turn
 * @param nearPm what its distance leaves of its weight, 1 to 1,000
 */
public record HealthReport(
        HealthState state,
        String reasons,
        int utilPm,
        long rpsMilli,
        long epsMilli,
        boolean wantsHandoff,
        int nearPm) {}
