package io.spillway.broker.cli;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * How the HTTP side of a broker is asked.
 *
 * @param tls null = plain text
 * @param authorization the header; empty = none
 */
record HttpAccess(@Nullable SSLContext tls, String authorization) {
    static final HttpAccess OPEN = new HttpAccess(null, "");

    String scheme() {
        return tls == null ? "http" : "https";
    }

    HttpClient.Builder addTo(HttpClient.Builder client) {
        return tls == null ? client : client.sslContext(tls);
    }

    HttpRequest.Builder addTo(HttpRequest.Builder request) {
        return authorization.isEmpty() ? request : request.header("Authorization", authorization);
    }

    /** It has a secret. */
    @Override
    public String toString() {
        return "HttpAccess[" + scheme() + "]";
    }
}
