package io.spillway.protocol;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding: its functions and the client's part. A password is taken as it
 * is, in UTF-8; user names have neither a comma nor an equals sign, so that nothing needs to be escaped.
 */
public final class Scram {
    public static final String MECHANISM = "SCRAM-SHA-256";
    /** What a client may be asked to do at the least and at the most; RFC 7677 says the former. */
    public static final int MIN_ITERATIONS = 4_096;

    public static final int MAX_ITERATIONS = 1_000_000;
    public static final int KEY_BYTES = 32;

    /** The base64 of "n,,": no channel binding. */
    private static final String NO_BINDING = "biws";

    private static final String GS2_HEADER = "n,,";
    private static final String HMAC = "HmacSHA256";

    private Scram() {}

    /**
     * What a server keeps of a password: with neither can anybody else log in, but for him who also heard a login.
     *
     * @param stored H(ClientKey)
     * @param server ServerKey
     */
    public record Keys(byte[] stored, byte[] server) {
        @Override
        public String toString() {
            return "Keys[masked]";
        }
    }

    /** What is left of a password once it was salted and hashed so many times. */
    public static byte[] salted(String password, byte[] salt, int iterations) {
        if (password.isEmpty()) {
            throw new IllegalArgumentException("the password is empty");
        }
        PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), salt, iterations, KEY_BYTES * Byte.SIZE);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw missing(e);
        } finally {
            spec.clearPassword();
        }
    }

    public static Keys keys(String password, byte[] salt, int iterations) {
        return keys(salted(password, salt, iterations));
    }

    private static Keys keys(byte[] salted) {
        return new Keys(sha256(hmac(salted, "Client Key")), hmac(salted, "Server Key"));
    }

    public static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(new SecretKeySpec(key, HMAC));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    public static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw missing(e);
        }
    }

    public static byte[] xor(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length);
        for (int i = 0; i < both.length; i++) {
            both[i] ^= b[i];
        }
        return both;
    }

    private static IllegalStateException missing(GeneralSecurityException e) {
        return new IllegalStateException("every JDK has these algorithms", e);
    }

    /** The value of a field such as {@code r=...} of a message. Throws IllegalArgumentException when it is not at that place. */
    public static String field(String[] fields, int at, char name) {
        if (at >= fields.length
                || fields[at].length() < 2
                || fields[at].charAt(0) != name
                || fields[at].charAt(1) != '=') {
            throw new IllegalArgumentException("a SCRAM message lacks its field " + name);
        }
        return fields[at].substring(2);
    }

    /** One login, as a client does it. Throws IllegalArgumentException for what a server must not say. */
    public static final class Client {
        private final String password;
        private final String nonce;
        private final String firstBare;
        private byte[] serverSignature = {};

        /** @param nonce random, printable, without a comma */
        public Client(String user, String password, String nonce) {
            if (user.isEmpty() || user.indexOf(',') >= 0 || user.indexOf('=') >= 0) {
                throw new IllegalArgumentException(
                        "a user name is not empty and has neither a comma nor an equals sign");
            }
            this.password = password;
            this.nonce = nonce;
            firstBare = "n=" + user + ",r=" + nonce;
        }

        /** What HELLO carries. */
        public byte[] first() {
            return bytes(GS2_HEADER + firstBare);
        }

        /** The proof, for what the server answered. */
        public byte[] proof(byte[] serverFirst) {
            String challenge = new String(serverFirst, StandardCharsets.UTF_8);
            String[] fields = challenge.split(",", -1);
            String both = field(fields, 0, 'r');
            if (!both.startsWith(nonce) || both.length() == nonce.length()) {
                throw new IllegalArgumentException("the server's nonce does not go on from the client's");
            }
            byte[] salt = Base64.getDecoder().decode(field(fields, 1, 's'));
            int iterations = Integer.parseInt(field(fields, 2, 'i'));
            if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS || salt.length == 0) {
                throw new IllegalArgumentException("the server asks for " + iterations + " iterations");
            }
            byte[] salted = salted(password, salt, iterations);
            Keys keys = keys(salted);
            String withoutProof = "c=" + NO_BINDING + ",r=" + both;
            String all = firstBare + "," + challenge + "," + withoutProof;
            byte[] proof = xor(hmac(salted, "Client Key"), hmac(keys.stored(), all));
            serverSignature = hmac(keys.server(), all);
            return bytes(withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof));
        }

        /** Whether the server knows the password, too. */
        public boolean isProven(byte[] serverFinal) {
            String[] fields = new String(serverFinal, StandardCharsets.UTF_8).split(",", -1);
            byte[] said = Base64.getDecoder().decode(field(fields, 0, 'v'));
            return serverSignature.length > 0 && MessageDigest.isEqual(said, serverSignature);
        }
    }

    /** One login, as a server does it: begins with the client's first message. */
    public static final class Server {
        private final String user;
        private final String clientNonce;
        private final String firstBare;
        private String nonce = "";
        private String challenge = "";

        /** Throws IllegalArgumentException for what no client of ours would send. */
        public Server(byte[] clientFirst) {
            String text = new String(clientFirst, StandardCharsets.UTF_8);
            if (!text.startsWith(GS2_HEADER)) {
                throw new IllegalArgumentException("channel binding or another identity is asked for");
            }
            firstBare = text.substring(GS2_HEADER.length());
            String[] fields = firstBare.split(",", -1);
            user = field(fields, 0, 'n');
            clientNonce = field(fields, 1, 'r');
            if (fields.length != 2 || user.isEmpty() || clientNonce.isEmpty()) {
                throw new IllegalArgumentException("a name and a nonce are wanted, and nothing else");
            }
        }

        public String user() {
            return user;
        }

        /** @param serverNonce random, printable, without a comma */
        public byte[] challenge(String serverNonce, byte[] salt, int iterations) {
            nonce = clientNonce + serverNonce;
            challenge = "r=" + nonce + ",s=" + Base64.getEncoder().encodeToString(salt) + ",i=" + iterations;
            return bytes(challenge);
        }

        /** The server's own proof, for a client that proved it knows the password; empty for one that did not. */
        public byte[] finish(byte[] clientFinal, Keys keys) {
            String text = new String(clientFinal, StandardCharsets.UTF_8);
            String[] fields = text.split(",", -1);
            byte[] proof = Base64.getDecoder().decode(field(fields, 2, 'p'));
            boolean isOurs = fields.length == 3
                    && field(fields, 0, 'c').equals(NO_BINDING)
                    && field(fields, 1, 'r').equals(nonce)
                    && !nonce.isEmpty();
            if (!isOurs || proof.length != KEY_BYTES) {
                return new byte[0];
            }
            String all = firstBare + "," + challenge + "," + text.substring(0, text.lastIndexOf(",p="));
            byte[] clientKey = xor(proof, hmac(keys.stored(), all));
            return MessageDigest.isEqual(sha256(clientKey), keys.stored())
                    ? bytes("v=" + Base64.getEncoder().encodeToString(hmac(keys.server(), all)))
                    : new byte[0];
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
