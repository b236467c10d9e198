package io.spillway.broker.auth;

import io.spillway.protocol.Scram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A key that tokens are verified with. It has one algorithm, whatever a token says: HS256 for a secret in {@code ID.hmac}, ES256
 * or EdDSA for a public key in {@code ID.pem}.
 */
public final class TokenKey {
    private static final int MIN_SECRET_BYTES = 32;
    private static final int P256_BITS = 256;
    private static final String HMAC_FILE = ".hmac";
    private static final String PEM_FILE = ".pem";

    /** The algorithms of JSON Web Tokens, and what the JDK calls them. */
    private enum Algorithm {
        HS256(""),
        ES256("SHA256withECDSAinP1363Format"),
        EdDSA("Ed25519");

        private final String jdk;

        Algorithm(String jdk) {
            this.jdk = jdk;
        }
    }

    private final Algorithm algorithm;
    private final byte[] secret;
    private final @Nullable PublicKey key;

    private TokenKey(Algorithm algorithm, byte[] secret, @Nullable PublicKey key) {
        this.algorithm = algorithm;
        this.secret = secret;
        this.key = key;
    }

    /** A file's: base64 text of at least 32 bytes. */
    static TokenKey hmac(byte[] secret) {
        if (secret.length < MIN_SECRET_BYTES) {
            throw new IllegalArgumentException(
                    "the secret has " + secret.length + " bytes, it needs " + MIN_SECRET_BYTES);
        }
        return new TokenKey(Algorithm.HS256, secret, null);
    }

    static TokenKey of(PublicKey key) {
        if (key instanceof ECPublicKey curve && curve.getParams().getOrder().bitLength() == P256_BITS) {
            return new TokenKey(Algorithm.ES256, new byte[0], key);
        }
        if (key.getAlgorithm().equals("EdDSA") || key.getAlgorithm().equals("Ed25519")) {
            return new TokenKey(Algorithm.EdDSA, new byte[0], key);
        }
        throw new IllegalArgumentException("a key of " + key.getAlgorithm() + " is neither of P-256 nor Ed25519");
    }

    /** All in a directory, by their ids. Throws IOException for the first that cannot be used. */
    public static Map<String, TokenKey> readAll(Path directory) throws IOException {
        Map<String, TokenKey> keys = new HashMap<>();
        List<Path> files;
        try (Stream<Path> listed = Files.list(directory)) {
            files = listed.sorted().toList();
        }
        for (Path file : files) {
            String name = String.valueOf(file.getFileName());
            try {
                if (name.endsWith(HMAC_FILE)) {
                    String text = Files.readString(file).strip();
                    keys.put(id(name, HMAC_FILE), hmac(Base64.getDecoder().decode(text)));
                } else if (name.endsWith(PEM_FILE)) {
                    keys.put(id(name, PEM_FILE), of(publicKey(Pem.read(file, "PUBLIC KEY"))));
                }
            } catch (IllegalArgumentException e) {
                throw new IOException(file + " is no key: " + e.getMessage(), e);
            }
        }
        return keys;
    }

    private static String id(String file, String ending) {
        return file.substring(0, file.length() - ending.length());
    }

    private static PublicKey publicKey(byte[] der) {
        for (String algorithm : List.of("EC", "Ed25519")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                continue; // it is of the other kind
            }
        }
        throw new IllegalArgumentException("it is a public key neither of a curve nor Ed25519");
    }

    boolean isFor(String name) {
        return algorithm.name().equals(name);
    }

    boolean verifies(String signed, byte[] signature) {
        try {
            if (algorithm == Algorithm.HS256) {
                return MessageDigest.isEqual(Scram.hmac(secret, signed), signature);
            }
            Signature check = Signature.getInstance(algorithm.jdk);
            check.initVerify(key);
            check.update(signed.getBytes(StandardCharsets.US_ASCII));
            return check.verify(signature);
        } catch (GeneralSecurityException e) {
            return false; // a signature of another form is not one of this key
        }
    }

    @Override
    public String toString() {
        return "TokenKey[" + algorithm + "]";
    }
}
