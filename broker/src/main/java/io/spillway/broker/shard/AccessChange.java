package io.spillway.broker.shard;

import io.spillway.broker.auth.AccessRule;
import io.spillway.broker.auth.Credential;

/** What an operator changes of who may come in and do what. */
public sealed interface AccessChange {
    /** A user who may log in from now on, or has another password. */
    record PutUser(Credential credential) implements AccessChange {}

    record DropUser(String name) implements AccessChange {}

    record PutRule(AccessRule rule) implements AccessChange {}

    /** Whether it allows or denies. */
    record DropRule(AccessRule rule) implements AccessChange {}

    /** @param expiresMs when the token ends by itself */
    record Revoke(String tokenId, long expiresMs) implements AccessChange {}
}
