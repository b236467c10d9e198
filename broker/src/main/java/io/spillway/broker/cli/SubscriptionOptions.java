package io.spillway.broker.cli;

import io.spillway.client.SubscriptionBuilder;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say what is subscribed to, and how. */
final class SubscriptionOptions {
    private static final int DEFAULT_MAX_UNACKED = 10_000;

    @Option(
            names = "--group",
            paramLabel = "GROUP",
            description = "Consumes as a member of this group, and acks what was written.")
    private @Nullable String group;

    @Option(
            names = "--from",
            paramLabel = "POSITION",
            description = "Reads from here: earliest, latest, offset:PARTITION:OFFSET, or time:T with T in ISO-8601 or "
                    + "ms since 1970. With --group: where the group begins when it is new.")
    private @Nullable Position from;

    @Option(names = "--lease", paramLabel = "DURATION", description = "How long a message is leased. Default: 30s.")
    private @Nullable Duration lease;

    @Option(
            names = "--max-unacked",
            paramLabel = "N",
            description = "Messages that may be leased at a time. Default: the broker's.")
    private @Nullable Integer maxUnacked;

    @Option(
            names = "--max-deliveries",
            paramLabel = "N",
            description = "Failed deliveries after which a message is dead-lettered. Default: as the group has it.")
    private @Nullable Integer maxDeliveries;

    /** Throws UsageException for options that make no sense together. */
    void check() {
        if (group == null && from == null) {
            throw new UsageException(
                    "neither --group nor --from is given",
                    "a consumer is a member of a group or reads from a position",
                    "give --group GROUP, or --from earliest");
        }
        if (group == null && (lease != null || maxUnacked != null || maxDeliveries != null)) {
            throw new UsageException(
                    "--lease, --max-unacked and --max-deliveries are for groups",
                    "a reader without --group leases nothing",
                    "give --group, or leave them out");
        }
        if (maxUnacked != null) {
            UsageException.atLeast("--max-unacked", maxUnacked, 1);
        }
        if (maxDeliveries != null) {
            UsageException.atLeast("--max-deliveries", maxDeliveries, 0);
        }
    }

    @Nullable
    String group() {
        return group;
    }

    @Nullable
    Position from() {
        return from;
    }

    /** Sets what was given; a member that will take {@code count} messages leases no more. */
    void applyTo(SubscriptionBuilder builder, long count) {
        if (from != null) {
            builder.start(from.start());
        }
        if (group == null) {
            return;
        }
        builder.group(group);
        if (lease != null) {
            builder.leaseTime(lease);
        }
        if (maxUnacked != null || count < Integer.MAX_VALUE) {
            int most = maxUnacked == null ? DEFAULT_MAX_UNACKED : maxUnacked;
            builder.maxUnacked((int) Math.min(count, most));
        }
        if (maxDeliveries != null) {
            builder.maxDeliveries(maxDeliveries);
        }
    }
}
