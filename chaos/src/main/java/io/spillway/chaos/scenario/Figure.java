package io.spillway.chaos.scenario;

/**
 * Something that is expected of a failure, and what was seen of it.
 *
 * @param expected what, with its bound
 * @param observed the figure; why, when it was not run
 */
public record Figure(String expected, String observed, Verdict verdict) {
    /** How the one compares with the other. */
    public enum Verdict {
        PASS("pass"),
        FAIL("FAIL"),
        /** It could not be brought about, or not be seen; nothing is claimed. */
        NOT_RUN("not run");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Figure of(String expected, String observed, boolean isMet) {
        return new Figure(expected, observed, isMet ? Verdict.PASS : Verdict.FAIL);
    }

    static Figure notRun(String expected, String why) {
        return new Figure(expected, why, Verdict.NOT_RUN);
    }
}
