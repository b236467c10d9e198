package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.flow.Quota;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** Shows and changes the quotas; changes are audited, and answered once they are durable. Thread-safe. */
public final class QuotaSettings {
    private final Mailbox mailbox;
    private final Audit audit;
    private final Supplier<Quotas> quotas;

    /** @param mailbox of the shard that keeps them */
    public QuotaSettings(Mailbox mailbox, Audit audit, Supplier<Quotas> quotas) {
        this.mailbox = mailbox;
        this.audit = audit;
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
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        Reply<Boolean> reply = Reply.completing(answer);
        audit.around(
                new AuditEntry(who, operation, "", "", "", detail),
                audited -> offer(command.apply(audited)),
                reply,
                done -> "done");
        return answer;
    }

    private void offer(ShardCommand command) {
        if (!mailbox.offer(command)) {
            throw new SpillwayException(
                    Code.OVERLOADED, "quotas are not changed", "the broker's queue is full", "try again");
        }
    }
}
