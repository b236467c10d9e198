package io.spillway.client.net;

import java.util.function.Supplier;

/**
 * How a client proves who it is.
 *
 * @param mechanism of the wire protocol; empty = by the certificate of its connection, or not at all
 * @param secret the password or the token; asked for before each attempt to connect, not on the network thread
 */
public record Credentials(String mechanism, String user, Supplier<String> secret) {
    public static final String TOKEN = "TOKEN";
    public static final Credentials NONE = new Credentials("", "", () -> "");

    @Override
    public String toString() {
        return "Credentials[" + mechanism + " " + user + "]";
    }
}
