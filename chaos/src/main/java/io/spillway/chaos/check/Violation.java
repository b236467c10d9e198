package io.spillway.chaos.check;

/**
 * Something that must not be.
 *
 * @param rule which one is broken
 * @param what the evidence
 */
public record Violation(String rule, String what) {
    @Override
    public String toString() {
        return rule + ": " + what;
    }
}
