package io.spillway.chaos.history;

import com.fasterxml.jackson.databind.JsonNode;

/** Why a call failed, as the client said it. */
public record Failure(
        int code, String reason, String retry, long retryAfterMs, String message, String cause, String nextStep) {
    /** As a driver prints it. */
    public static Failure of(JsonNode error) {
        return new Failure(
                error.path("code").asInt(),
                error.path("reason").asText(""),
                error.path("retry").asText(""),
                error.path("retry_after_ms").asLong(),
                error.path("message").asText(""),
                error.path("cause").asText(""),
                error.path("next_step").asText(""));
    }

    /** Whether the record may be stored all the same. */
    public boolean isUnknown() {
        // The broker's codes say it by their class; what a client gave up after sending has a code for it.
        return retry.equals("UNKNOWN_OUTCOME") || reason.equals("OUTCOME_UNKNOWN");
    }

    /** Whether a user learns from it what happened, why, and what to do. */
    public boolean isExplained() {
        return code > 0 && !reason.isBlank() && !message.isBlank() && !cause.isBlank() && !nextStep.isBlank();
    }

    @Override
    public String toString() {
        return reason + " (" + code + "): " + message + "; cause: " + cause + "; next: " + nextStep;
    }
}
