package io.spillway.broker.auth;

/**
 * Who somebody has proved to be.
 *
 * @param name {@link Principals#ANONYMOUS} when he has proved nothing
 * @param mechanism by which he did; empty = none
 * @param expiresMs until when that holds; {@link #NEVER} = as long as he is connected
 * @param tokenId of the token he showed; empty = none
 */
public record Identity(String name, String mechanism, long expiresMs, String tokenId) {
    public static final long NEVER = Long.MAX_VALUE;
    public static final Identity NOBODY = new Identity(Principals.ANONYMOUS, "", NEVER, "");

    static Identity of(String name, String mechanism) {
        return new Identity(name, mechanism, NEVER, "");
    }

    public boolean isKnown() {
        return !mechanism.isEmpty();
    }
}
