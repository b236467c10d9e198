package io.spillway.broker.auth;

/**
 * What the connection itself tells of who is on the other side.
 *
 * @param certified the principal that his certificate names, which our authority signed; empty when he has shown none
 * @param thumbprint SHA-256 of that certificate in base64url; empty when he has shown none
 * @param isEncrypted whether nobody else can hear
 */
public record Peer(String certified, String thumbprint, boolean isEncrypted) {
    /** Plain text. */
    public static final Peer UNKNOWN = new Peer("", "", false);
}
