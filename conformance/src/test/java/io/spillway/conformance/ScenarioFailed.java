package io.spillway.conformance;

/** A scenario did not go as its file says; the message has all that was said. */
final class ScenarioFailed extends AssertionError {
    private static final long serialVersionUID = 1;

    ScenarioFailed(String message, Throwable cause) {
        super(message, cause);
    }
}
