package io.spillway.broker.cli;

/** Some records were not published; ends with {@link ExitCode#FAILURE}, whatever the cause. */
final class PublishFailedException extends RuntimeException {
    private final Throwable first;

    PublishFailedException(Throwable first) {
        super(first);
        this.first = first;
    }

    /** What the first of them failed with. */
    Throwable first() {
        return first;
    }
}
