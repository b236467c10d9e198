package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Changes of what a shard keeps for the whole broker: audited, and answered once they are durable. Thread-safe.
 *
 * @param mailbox of that shard
 * @param what what is not changed when the shard has no room, in words
 */
record AuditedChanges(Mailbox mailbox, Audit audit, String what) {
    /** @param result what came of it, for the audit */
    <T> CompletableFuture<T> change(
            AuditEntry entry, Function<Reply<T>, ShardCommand> command, Function<T, String> result) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        audit.around(entry, audited -> offer(command.apply(audited)), Reply.completing(answer), result);
        return answer;
    }

    private void offer(ShardCommand command) {
        if (!mailbox.offer(command)) {
            throw new SpillwayException(
                    Code.OVERLOADED, what + " not changed", "the broker's queue is full", "try again");
        }
    }
}
