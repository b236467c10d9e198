package io.spillway.client.net;

import io.netty.handler.ssl.SslContext;
import org.jspecify.annotations.Nullable;

/**
 * How a client comes in.
 *
 * @param tls null = plain text
 * @param serverName that the broker's certificate must have; empty = the host of the endpoint
 */
public record Entrance(@Nullable SslContext tls, String serverName, Credentials credentials) {
    public static final Entrance OPEN = new Entrance(null, "", Credentials.NONE);
}
