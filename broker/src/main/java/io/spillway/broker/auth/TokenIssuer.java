package io.spillway.broker.auth;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.protocol.Scram;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.Base64;

/** Signs tokens as {@link TokenKey} verifies them. */
public final class TokenIssuer {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

    private TokenIssuer() {}

    /** What a token says. */
    public record Claims(String subject, String id, String audience, long issuedS, long expiresS) {}

    private interface Fields {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** @param key {@code ID.hmac} with a secret in base64, or {@code ID.key} with a private key in PEM */
    public static String issue(Path key, Claims claims) throws IOException, GeneralSecurityException {
        String file = String.valueOf(key.getFileName());
        String id = file.substring(0, Math.max(0, file.lastIndexOf('.')));
        Principals.check(claims.subject());
        if (file.endsWith(".hmac")) {
            byte[] secret = Base64.getDecoder().decode(Files.readString(key).strip());
            TokenKey.hmac(secret);
            String signed = signed("HS256", id, claims);
            return signed + "." + BASE64.encodeToString(Scram.hmac(secret, signed));
        }
        PrivateKey own = Tls.privateKey(Pem.read(key, "PRIVATE KEY"));
        boolean isCurve = own.getAlgorithm().equals("EC");
        String signed = signed(isCurve ? "ES256" : "EdDSA", id, claims);
        Signature signature = Signature.getInstance(isCurve ? "SHA256withECDSAinP1363Format" : "Ed25519");
        signature.initSign(own);
        signature.update(signed.getBytes(StandardCharsets.US_ASCII));
        return signed + "." + BASE64.encodeToString(signature.sign());
    }

    private static String signed(String algorithm, String keyId, Claims claims) throws IOException {
        String header = object(json -> {
            json.writeStringField("alg", algorithm);
            json.writeStringField("typ", "JWT");
            json.writeStringField("kid", keyId);
        });
        String body = object(json -> {
            json.writeStringField("sub", claims.subject());
            json.writeStringField("jti", claims.id());
            json.writeStringField("aud", claims.audience());
            json.writeNumberField("iat", claims.issuedS());
            json.writeNumberField("exp", claims.expiresS());
        });
        return header + "." + body;
    }

    private static String object(Fields fields) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            fields.writeTo(json);
            json.writeEndObject();
        }
        return BASE64.encodeToString(out.toByteArray());
    }
}
