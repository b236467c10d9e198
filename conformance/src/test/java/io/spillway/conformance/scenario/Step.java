package io.spillway.conformance.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One step of a scenario; conformance/README.md says what each part means.
 *
 * @param who an actor, {@code broker}, a proxy, or {@code await}
 * @param what the operation; for {@code await} the name under which one was started
 * @param arguments as they are in the file, variables not filled in
 * @param expect what the answer must contain, or null
 * @param error what the error must contain, or null when none is expected
 * @param tookMs what must hold for the time it took, or null
 * @param begin the name under which it goes on in the background, or empty
 * @param save variables to set, each to the place in the answer that is named
 * @param eventuallyMs repeats the operation until the answer is as expected, for so long; 0 = once
 */
public record Step(
        String who,
        String what,
        ObjectNode arguments,
        @Nullable JsonNode expect,
        @Nullable JsonNode error,
        @Nullable JsonNode tookMs,
        String begin,
        Map<String, String> save,
        long eventuallyMs) {
    public static final String BROKER = "broker";
    public static final String AWAIT = "await";

    @Override
    public String toString() {
        return who + ": " + what;
    }
}
