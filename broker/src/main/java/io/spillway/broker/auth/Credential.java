package io.spillway.broker.auth;

import io.spillway.protocol.Scram;
import java.util.Base64;

/** What is kept of a user's password: it proves whether somebody knows it, and does not tell it. */
public record Credential(String user, byte[] salt, int iterations, Scram.Keys keys) {
    /** Costs whoever guesses from a stolen record so much; a login costs a client once. */
    public static final int ITERATIONS = 16_384;

    public static final int SALT_BYTES = 16;
    private static final String SCHEME = Scram.MECHANISM;

    /** @param salt random */
    public static Credential of(String user, String password, byte[] salt) {
        return new Credential(user, salt, ITERATIONS, Scram.keys(password, salt, ITERATIONS));
    }

    /** A line of a file: {@code user:SCRAM-SHA-256$iterations:salt$stored:server}. */
    public String line() {
        Base64.Encoder text = Base64.getEncoder();
        return user + ":" + SCHEME + "$" + iterations + ":" + text.encodeToString(salt) + "$"
                + text.encodeToString(keys.stored()) + ":" + text.encodeToString(keys.server());
    }

    /** Throws IllegalArgumentException for a line that is none. */
    public static Credential parse(String line) {
        String[] parts = line.split("[:$]", -1);
        if (parts.length != 6 || !parts[1].equals(SCHEME)) {
            throw new IllegalArgumentException("it is not user:SCRAM-SHA-256$iterations:salt$stored:server");
        }
        Base64.Decoder bytes = Base64.getDecoder();
        Credential credential = new Credential(
                Principals.check(parts[0]),
                bytes.decode(parts[3]),
                Integer.parseInt(parts[2]),
                new Scram.Keys(bytes.decode(parts[4]), bytes.decode(parts[5])));
        if (credential.iterations < Scram.MIN_ITERATIONS
                || credential.iterations > Scram.MAX_ITERATIONS
                || credential.salt.length == 0
                || credential.keys.stored().length != Scram.KEY_BYTES
                || credential.keys.server().length != Scram.KEY_BYTES) {
            throw new IllegalArgumentException("its numbers cannot be meant");
        }
        return credential;
    }

    @Override
    public String toString() {
        return "Credential[" + user + "]";
    }
}
