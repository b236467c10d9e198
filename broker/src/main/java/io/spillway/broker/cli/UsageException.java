package io.spillway.broker.cli;

/** A command line that is understood and makes no sense; ends with {@link ExitCode#USAGE}. */
final class UsageException extends RuntimeException {
    private final String what;
    private final String why;
    private final String nextStep;

    UsageException(String what, String why, String nextStep) {
        super(what);
        this.what = what;
        this.why = why;
        this.nextStep = nextStep;
    }

    /** Throws unless the value of the option is at least that. */
    static long atLeast(String option, long value, long min) {
        if (value < min) {
            throw new UsageException(
                    option + " is " + value, "it must be at least " + min, "give a number from " + min + " up");
        }
        return value;
    }

    String what() {
        return what;
    }

    String why() {
        return why;
    }

    String nextStep() {
        return nextStep;
    }
}
