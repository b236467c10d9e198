package io.spillway.broker.base;

import io.spillway.protocol.Code;
import java.nio.channels.UnresolvedAddressException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a server listens.
 *
 * @param host a name or an address, without brackets
 * @param port 0 to 65535; 0 lets the system choose
 */
public record ListenAddress(String host, int port) {
    private static final Pattern FORM = Pattern.compile("(?:\\[([0-9A-Fa-f:.%]+)]|([^\\s:\\[\\]/]+)):(\\d{1,5})");
    private static final int MAX_PORT = 65_535;
    /** What Netty's native sockets put before the reason. */
    private static final Pattern NATIVE_PREFIX = Pattern.compile("^\\w+\\(\\.\\.\\) failed with error\\(-\\d+\\): ");

    /** Reads {@code host:port} or {@code [v6]:port}; empty when the text is neither. */
    public static Optional<ListenAddress> parse(String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches() || Integer.parseInt(parts.group(3)) > MAX_PORT) {
            return Optional.empty();
        }
        String host = parts.group(1) != null ? parts.group(1) : parts.group(2);
        return Optional.of(new ListenAddress(host, Integer.parseInt(parts.group(3))));
    }

    /** The error for an address that cannot be listened at; the flag is the one that sets it. */
    public SpillwayException refused(Throwable cause, String flag) {
        String why = cause instanceof UnresolvedAddressException
                ? "the host is unknown"
                : NATIVE_PREFIX.matcher(String.valueOf(cause.getMessage())).replaceFirst("");
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "cannot listen at " + this,
                why,
                "choose another address with " + flag + ", or stop what uses it",
                0,
                cause);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
