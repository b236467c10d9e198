package io.spillway.broker.admin;

/**
 * An HTTP answer; the content type goes with the body.
 *
 * @param allow the methods there are, when it was another one; else empty
 */
record Answer(int status, String contentType, String body, String allow) {
    static final String READS = "GET, HEAD";

    private static final String TEXT = "text/plain; charset=utf-8";

    Answer(int status, String contentType, String body) {
        this(status, contentType, body, "");
    }

    static Answer text(int status, String body) {
        return new Answer(status, TEXT, body);
    }

    static Answer onlyBy(String allow) {
        return new Answer(405, TEXT, "only " + allow.replace(", ", " and ") + "\n", allow);
    }
}
