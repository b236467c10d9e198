package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import java.util.Map;

/**
 * An HTTP answer; the content type goes with the body.
 *
 * @param headers beyond those of every answer, such as the methods there are when it was another one
 */
record Answer(int status, String contentType, String body, Map<String, String> headers) {
    static final String READS = "GET, HEAD";

    static final String JSON = "application/json";

    private static final String TEXT = "text/plain; charset=utf-8";

    Answer {
        headers = Map.copyOf(headers);
    }

    Answer(int status, String contentType, String body) {
        this(status, contentType, body, Map.of());
    }

    static Answer text(int status, String body) {
        return new Answer(status, TEXT, body);
    }

    static Answer error(SpillwayException error) {
        Map<String, String> headers = error.retryAfterMs() == 0
                ? Map.of()
                : Map.of("retry-after", String.valueOf((error.retryAfterMs() + 999) / 1_000));
        return new Answer(ClusterFailures.httpStatus(error.code()), JSON, ClusterJson.error(error), headers);
    }

    /** Whoever comes here is sent there. */
    static Answer elsewhere(String path) {
        return new Answer(302, TEXT, "it is at " + path + "\n", Map.of("location", path));
    }

    static Answer onlyBy(String allow) {
        return new Answer(405, TEXT, "only " + allow.replace(", ", " and ") + "\n", Map.of("allow", allow));
    }
}
