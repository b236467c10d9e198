package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;

/**
 * An HTTP answer; the content type goes with the body.
 *
 * @param allow the methods there are, when it was another one; else empty
 * @param location where it is, when it is elsewhere; else empty
 */
record Answer(int status, String contentType, String body, String allow, String location) {
    static final String READS = "GET, HEAD";

    static final String JSON = "application/json";

    private static final String TEXT = "text/plain; charset=utf-8";

    Answer(int status, String contentType, String body) {
        this(status, contentType, body, "", "");
    }

    static Answer text(int status, String body) {
        return new Answer(status, TEXT, body);
    }

    static Answer error(SpillwayException error) {
        return new Answer(ClusterFailures.httpStatus(error.code()), JSON, ClusterJson.error(error));
    }

    /** Whoever comes here is sent there. */
    static Answer elsewhere(String path) {
        return new Answer(302, TEXT, "it is at " + path + "\n", "", path);
    }

    static Answer onlyBy(String allow) {
        return new Answer(405, TEXT, "only " + allow.replace(", ", " and ") + "\n", allow, "");
    }
}
