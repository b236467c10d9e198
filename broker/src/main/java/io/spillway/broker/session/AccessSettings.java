package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.auth.Access;
import io.spillway.broker.auth.AccessRule;
import io.spillway.broker.auth.Credential;
import io.spillway.broker.shard.AccessChange;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.ShardCommand;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Shows and changes who may come in and do what; changes are audited, without what is secret of them, and answered once they are
 * durable. Thread-safe.
 */
public final class AccessSettings {
    private final AuditedChanges changes;
    private final Supplier<Access> access;

    /** @param mailbox of the shard that keeps it */
    public AccessSettings(Mailbox mailbox, Audit audit, Supplier<Access> access) {
        changes = new AuditedChanges(mailbox, audit, "access is");
        this.access = access;
    }

    public Access all() {
        return access.get();
    }

    public CompletableFuture<Boolean> putUser(Credential user, String who) {
        return change(new AccessChange.PutUser(user), who, "user.add", Map.of("user", user.user()), "");
    }

    public CompletableFuture<Boolean> dropUser(String name, String who) {
        return change(new AccessChange.DropUser(name), who, "user.delete", Map.of("user", name), "");
    }

    public CompletableFuture<Boolean> putRule(AccessRule rule, String who) {
        return change(new AccessChange.PutRule(rule), who, "acl.add", Map.of("rule", rule.toString()), "");
    }

    public CompletableFuture<Boolean> dropRule(AccessRule rule, String who) {
        return change(new AccessChange.DropRule(rule), who, "acl.delete", Map.of("rule", rule.key()), "");
    }

    public CompletableFuture<Boolean> revoke(String tokenId, long expiresMs, String who, String reason) {
        Map<String, String> detail = Map.of(
                "token", tokenId, "until", Instant.ofEpochMilli(expiresMs).toString());
        return change(new AccessChange.Revoke(tokenId, expiresMs), who, "token.revoke", detail, reason);
    }

    private CompletableFuture<Boolean> change(
            AccessChange change, String who, String operation, Map<String, String> detail, String reason) {
        return changes.change(
                new AuditEntry(who, operation, "", "", reason, detail),
                audited -> new ShardCommand.ChangeAccess(change, audited),
                done -> "done");
    }
}
