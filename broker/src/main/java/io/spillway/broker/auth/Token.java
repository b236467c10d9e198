package io.spillway.broker.auth;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON Web Token (RFC 7519) in compact form, read and not yet believed.
 *
 * @param signed what the signature is of
 * @param expiresMs 0 = it says none
 * @param notBeforeMs 0 = it says none
 * @param certificate thumbprint of the one certificate it may be shown with (RFC 8705); empty = with any
 */
record Token(
        String algorithm,
        String keyId,
        String signed,
        byte[] signature,
        String subject,
        String id,
        List<String> audience,
        long expiresMs,
        long notBeforeMs,
        String certificate) {
    static final int MAX_CHARS = 8_192;

    private static final int MAX_DEPTH = 8;
    private static final long MS_PER_SECOND = 1_000;
    private static final long MAX_SECONDS = 1L << 40;
    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(MAX_CHARS)
                    .build())
            .build();

    /** Throws IllegalArgumentException for what is no token. */
    static Token parse(String text) {
        String[] parts = text.split("\\.", -1);
        if (text.length() > MAX_CHARS || parts.length != 3) {
            throw new IllegalArgumentException("it does not have three parts, or is too long");
        }
        Base64.Decoder decoder = Base64.getUrlDecoder();
        Map<String, List<String>> header = object(decoder.decode(parts[0]));
        Map<String, List<String>> claims = object(decoder.decode(parts[1]));
        if (header.containsKey("crit")) {
            throw new IllegalArgumentException("it has a header that must be understood and is not");
        }
        return new Token(
                one(header, "alg"),
                one(header, "kid"),
                parts[0] + "." + parts[1],
                decoder.decode(parts[2]),
                one(claims, "sub"),
                one(claims, "jti"),
                claims.getOrDefault("aud", List.of()),
                timeMs(claims, "exp"),
                timeMs(claims, "nbf"),
                one(claims, "cnf.x5t#S256"));
    }

    private static String one(Map<String, List<String>> object, String name) {
        List<String> values = object.getOrDefault(name, List.of());
        return values.size() == 1 ? values.get(0) : "";
    }

    private static long timeMs(Map<String, List<String>> claims, String name) {
        String text = one(claims, name);
        if (text.isEmpty()) {
            return 0;
        }
        double seconds = Double.parseDouble(text);
        if (!(seconds >= 0 && seconds < MAX_SECONDS)) {
            throw new IllegalArgumentException("its " + name + " cannot be meant");
        }
        return (long) (seconds * MS_PER_SECOND);
    }

    /** Scalars and lists of scalars by name; those of an object within have both names, with a dot between. */
    private static Map<String, List<String>> object(byte[] json) {
        Map<String, List<String>> values = new HashMap<>();
        try (JsonParser parser = JSON.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("a part of it is no object");
            }
            read(parser, "", values);
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("something follows an object of it");
            }
            return values;
        } catch (IOException e) {
            throw new IllegalArgumentException("a part of it is not JSON", e);
        }
    }

    private static void read(JsonParser parser, String prefix, Map<String, List<String>> values) throws IOException {
        int lists = 0;
        String name = "";
        @Nullable JsonToken token;
        while ((token = parser.nextToken()) != null) {
            switch (token) {
                case FIELD_NAME -> name = prefix + parser.currentName();
                case START_OBJECT -> {
                    if (lists == 0) {
                        read(parser, name + ".", values);
                    } else {
                        parser.skipChildren();
                    }
                }
                case END_OBJECT -> {
                    return;
                }
                case START_ARRAY -> lists++;
                case END_ARRAY -> lists--;
                default ->
                    values.computeIfAbsent(name, unused -> new ArrayList<>()).add(parser.getText());
            }
        }
    }

    /** It is a secret. */
    @Override
    public String toString() {
        return "Token[" + id + "]";
    }
}
