package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** Shows and changes the quotas; changes are audited, and answered once they are durable. Thread-safe. */
public final class QuotaSettings {
    private final AuditedChanges changes;
    private final Supplier<Quotas> quotas;

    /** @param mailbox of the shard that keeps them */
    public QuotaSettings(Mailbox mailbox, Audit audit, Supplier<Quotas> quotas) {
        changes = new AuditedChanges(mailbox, audit, "quotas are");
        this.quotas = quotas;
    }

    public Quotas all() {
        return quotas.get();
    }

    public CompletableFuture<Boolean> set(Quota quota, String who) {
        Map<String, String> detail = Map.of(
                "quota", quota.key(),
                "bytes_per_second", Long.toString(quota.rate().perSecond()),
                "burst_bytes", Long.toString(quota.rate().burst()));
        return audited(who, "quota.set", detail, reply -> new ShardCommand.SetQuota(quota, reply));
    }

    public CompletableFuture<Boolean> remove(Quota.Scope scope, String name, String who) {
        return audited(
                who,
                "quota.remove",
                Map.of("quota", scope.text() + ":" + name),
                reply -> new ShardCommand.RemoveQuota(scope, name, reply));
    }

    private CompletableFuture<Boolean> audited(
            String who, String operation, Map<String, String> detail, Function<Reply<Boolean>, ShardCommand> command) {
        return changes.change(new AuditEntry(who, operation, "", "", "", detail), command, done -> "done");
    }
}
