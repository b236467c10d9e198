package io.spillway.broker.auth;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What the connection itself tells of who is on the other side.
 *
 * @param certified the principal that his certificate names, which our authority signed; empty when he has shown none
 * @param thumbprint SHA-256 of that certificate in base64url; empty when he has shown none
 * @param isEncrypted whether nobody else can hear
 * @param address from where he comes, in hexadecimal digits: of IPv6 the first half, because who has one address of that
 *     has all; empty when it is not known
 */
public record Peer(String certified, String thumbprint, boolean isEncrypted, String address) {
    private static final int NETWORK_BYTES = 8;

    /** Plain text, from anywhere. */
    public static final Peer UNKNOWN = new Peer("", "", false);

    public Peer(String certified, String thumbprint, boolean isEncrypted) {
        this(certified, thumbprint, isEncrypted, "");
    }

    /** The same, come from there. */
    public Peer from(@Nullable SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress known) || known.getAddress() == null) {
            return this;
        }
        byte[] bytes = known.getAddress().getAddress();
        String network = HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, NETWORK_BYTES));
        return new Peer(certified, thumbprint, isEncrypted, network);
    }
}
