package io.spillway.broker.transport;

import io.spillway.broker.auth.CertifiedNames;
import io.spillway.broker.auth.Tls;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Through what clients come in.
 *
 * @param tls null = they speak plain text
 * @param names which principal a certificate names
 * @param handshakeTimeoutMs from the connection to the open session, all together
 */
public record Door(@Nullable Supplier<Tls> tls, CertifiedNames names, int handshakeTimeoutMs, Limits limits) {
    /**
     * @param maxConnections with open sessions
     * @param maxPerAddress connections of one address; 0 = no bound of its own
     * @param maxHalfOpen without an open session
     */
    public record Limits(int maxConnections, int maxPerAddress, int maxHalfOpen) {}
}
