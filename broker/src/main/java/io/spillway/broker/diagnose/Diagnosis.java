package io.spillway.broker.diagnose;

/**
 * What is with something: the cause, the measured value against its threshold and who it is, and what to do next.
 *
 * @param sinceMs since when, in ms since 1970; 0 when that is not known
 * @param next what to do, with the command to run; empty when there is nothing to do
 */
public record Diagnosis(Subject about, Cause cause, String why, long sinceMs, String next) {
    static Diagnosis well(Subject about, Cause cause, String why) {
        return new Diagnosis(about, cause, why, 0, "");
    }
}
