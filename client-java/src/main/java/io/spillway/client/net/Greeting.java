package io.spillway.client.net;

import com.google.protobuf.ByteString;
import io.spillway.protocol.Code;
import io.spillway.protocol.Scram;
import io.spillway.protocol.v1.Auth;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** What one handshake proves, on both sides. Confined to the network thread. */
final class Greeting {
    private static final int NONCE_BYTES = 24;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Credentials credentials;
    private final String secret;
    private Scram.@Nullable Client scram;

    Greeting(Credentials credentials, String secret) {
        this.credentials = credentials;
        this.secret = secret;
    }

    /** HELLO, with the proof or the beginning of one. */
    Hello hello(Hello of) {
        if (credentials.mechanism().isEmpty()) {
            return of;
        }
        Hello.Builder hello = of.toBuilder().setAuthMechanism(credentials.mechanism());
        if (credentials.mechanism().equals(Scram.MECHANISM)) {
            byte[] nonce = new byte[NONCE_BYTES];
            RANDOM.nextBytes(nonce);
            scram = new Scram.Client(
                    credentials.user(), secret, Base64.getEncoder().encodeToString(nonce));
            return hello.setAuthData(ByteString.copyFrom(scram.first())).build();
        }
        return hello.setAuthData(ByteString.copyFrom(secret, StandardCharsets.UTF_8))
                .build();
    }

    /** The answer to a challenge. Throws IllegalArgumentException for one that no broker of ours would send. */
    Auth answer(HelloOk challenge) {
        if (scram == null) {
            throw new IllegalArgumentException("the broker asks for a proof that was not begun");
        }
        return Auth.newBuilder()
                .setData(ByteString.copyFrom(scram.proof(challenge.getAuthData().toByteArray())))
                .build();
    }

    /** Why the broker is not believed; null when it is. */
    @Nullable
    Error doubt(Endpoint endpoint, HelloOk hello) {
        if (scram == null || isProven(scram, hello)) {
            return null;
        }
        return Errors.of(
                Code.UNAUTHENTICATED,
                endpoint + " is not believed",
                "it did not prove that it knows the user's credential",
                "check that this is the broker that is meant, and that it is not older than 0.1");
    }

    private static boolean isProven(Scram.Client client, HelloOk hello) {
        try {
            return client.isProven(hello.getAuthData().toByteArray());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
