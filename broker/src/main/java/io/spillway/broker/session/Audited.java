package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.SeekPartition;
import io.spillway.protocol.v1.SeekResult;
import io.spillway.protocol.v1.Start;
import io.spillway.protocol.v1.TopicAdmin;
import java.time.Instant;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Requests that are written to the audit before they are done and after, and what it says of them. */
final class Audited {
    private static final int GROUP_DELETE = 3;
    private static final int GROUP_CREATE = 4;
    private static final int GROUP_ALTER = 5;
    private static final int GROUP_PAUSE = 6;
    private static final int GROUP_RESUME = 7;
    private static final int GROUP_SNAPSHOT = 8;
    private static final int GROUP_RESTORE = 9;
    private static final int GROUP_DELETE_SNAPSHOT = 11;
    private static final int TOPIC_CREATE = 1;
    private static final int TOPIC_ALTER = 2;
    private static final int TOPIC_DELETE = 3;
    private static final int TOPIC_PURGE = 4;
    private static final int TOPIC_PAUSE = 5;
    private static final int TOPIC_RESUME = 6;
    private static final int TOPIC_SHED_CLASS = 7;

    private final Audit audit;
    private final Supplier<String> who;
    private final BooleanSupplier everything;

    /**
     * @param who the client of the session
     * @param everything whether what takes nothing away is audited, too
     */
    Audited(Audit audit, Supplier<String> who, BooleanSupplier everything) {
        this.audit = audit;
        this.who = who;
        this.everything = everything;
    }

    String who() {
        return who.get();
    }

    /** @param entry null for a request that is not audited */
    <T> void offer(
            @Nullable AuditEntry entry, Mailbox mailbox, Function<Reply<T>, ShardCommand> command, Reply<T> reply) {
        if (entry == null) {
            AdminRequests.offer(mailbox, command.apply(reply));
        } else {
            audit.around(entry, answer -> AdminRequests.offer(mailbox, command.apply(answer)), reply, Audited::result);
        }
    }

    /** Null for a dry run. */
    @Nullable
    AuditEntry entry(Seek request) {
        return request.getDryRun()
                ? null
                : new AuditEntry(
                        who.get(),
                        "group.seek",
                        request.getTopic(),
                        request.getGroup(),
                        request.getReason(),
                        Map.of("to", text(request.getTo())));
    }

    /** Null for what is not audited. */
    @Nullable
    AuditEntry entry(GroupAdmin request) {
        String operation = switch (request.getOp()) {
            case GROUP_DELETE -> "group.delete";
            case GROUP_PAUSE -> "group.pause";
            case GROUP_RESUME -> "group.resume";
            case GROUP_RESTORE -> "group.restore";
            default -> everything.getAsBoolean() ? harmless(request) : "";
        };
        Map<String, String> detail =
                request.getSnapshot().isEmpty() ? Map.of() : Map.of("snapshot", request.getSnapshot());
        return operation.isEmpty()
                ? null
                : new AuditEntry(
                        who.get(), operation, request.getTopic(), request.getGroup(), request.getReason(), detail);
    }

    private static String harmless(GroupAdmin request) {
        return switch (request.getOp()) {
            case GROUP_CREATE -> "group.create";
            case GROUP_ALTER -> "group.alter";
            case GROUP_SNAPSHOT -> "group.snapshot";
            case GROUP_DELETE_SNAPSHOT -> "group.delete-snapshot";
            default -> "";
        };
    }

    /** Null for what is not audited. */
    @Nullable
    AuditEntry entry(TopicAdmin request) {
        return switch (request.getOp()) {
            case TOPIC_DELETE ->
                new AuditEntry(who.get(), "topic.delete", request.getTopic(), "", request.getReason(), Map.of());
            case TOPIC_PURGE ->
                new AuditEntry(
                        who.get(),
                        "topic.purge",
                        request.getTopic(),
                        "",
                        request.getReason(),
                        Map.of("before", text(request.getBefore())));
            case TOPIC_PAUSE -> switched("topic.pause", request);
            case TOPIC_RESUME -> switched("topic.resume", request);
            case TOPIC_SHED_CLASS -> switched("topic.shed-class", request);
            case TOPIC_CREATE -> everything.getAsBoolean() ? configured("topic.create", request) : null;
            case TOPIC_ALTER -> everything.getAsBoolean() ? configured("topic.alter", request) : null;
            default -> null;
        };
    }

    private AuditEntry configured(String operation, TopicAdmin request) {
        return new AuditEntry(
                who.get(), operation, request.getTopic(), "", request.getReason(), request.getConfigMap());
    }

    private AuditEntry switched(String operation, TopicAdmin request) {
        Map<String, String> detail = request.getOp() == TOPIC_SHED_CLASS
                ? Map.of("class", Integer.toString(request.getShedClass()))
                : Map.of(
                        "publish", Boolean.toString(request.getPublish()),
                        "dispatch", Boolean.toString(request.getDispatch()));
        return new AuditEntry(who.get(), operation, request.getTopic(), "", request.getReason(), detail);
    }

    private static String result(Object result) {
        if (!(result instanceof SeekResult sought)) {
            return "done";
        }
        StringBuilder text = new StringBuilder("moved");
        for (SeekPartition partition : sought.getPartitionsList()) {
            text.append(' ')
                    .append(partition.getPartition())
                    .append(':')
                    .append(partition.getFrom())
                    .append("->")
                    .append(partition.getTo());
        }
        return text.toString();
    }

    private static String text(Start start) {
        return switch (start.getKind()) {
            case 1 -> "earliest";
            case 2 -> "latest";
            case 3 -> "offset:" + start.getPartition() + ":" + start.getOffset();
            case 4 -> "time:" + Instant.ofEpochMilli(start.getUnixMs());
            default -> "group";
        };
    }
}
