package io.spillway.broker.cli;

import io.spillway.client.ReadFrom;
import io.spillway.client.SubscriptionBuilder;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
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
            names = "--mode",
            paramLabel = "MODE",
            description =
                    "shared, key-ordered (one message of a key at a time, in order) or exclusive (one consumer at "
                            + "a time), which a group keeps; or stream, a reader without a group. Default: shared with --group, "
                            + "else stream.")
    private @Nullable ConsumeMode mode;

    @Option(
            names = "--read-from",
            paramLabel = "NODE",
            description =
                    "leader, or nearest: a reader without --group reads at a node of a cluster in --zone if there is one, else at "
                            + "any other. Default: leader.")
    private ReadFrom readFrom = ReadFrom.LEADER;

    @Option(
            names = "--zone",
            paramLabel = "ZONE",
            defaultValue = "${env:SPILLWAY_ZONE:-}",
            description = "The zone this command runs in. Environment: SPILLWAY_ZONE. Default: none.")
    private String zone = "";

    @Mixin
    private GroupSettings settings = new GroupSettings();

    /** Throws UsageException for options that make no sense together. */
    void check() {
        if (group == null && from == null) {
            throw new UsageException(
                    "neither --group nor --from is given",
                    "a consumer is a member of a group or reads from a position",
                    "give --group GROUP, or --from earliest");
        }
        requireFitting(mode);
        if (group == null
                && (lease != null || maxUnacked != null || !settings.toMap().isEmpty())) {
            throw new UsageException(
                    "--lease, --max-unacked, --filter and the settings of a group are for groups",
                    "a reader without --group leases nothing and gets every message",
                    "give --group, or leave them out");
        }
        if (group != null && readFrom != ReadFrom.LEADER) {
            throw new UsageException(
                    "--read-from and --group are both given",
                    "the leader shares the messages among a group's members",
                    "leave one of them out");
        }
        if (maxUnacked != null) {
            UsageException.atLeast("--max-unacked", maxUnacked, 1);
        }
    }

    private void requireFitting(@Nullable ConsumeMode asked) {
        if (asked == null) {
            return;
        }
        if (asked.group() == null && group != null) {
            throw new UsageException(
                    "--mode stream and --group are both given",
                    "a stream is a reader of its own, without a group",
                    "give another mode, or leave out --group and give --from");
        }
        if (asked.group() != null && group == null) {
            throw new UsageException(
                    "--mode is that of a group and --group is not given",
                    "only a group shares its messages among consumers",
                    "give --group GROUP, or --mode stream");
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

    String zone() {
        return zone;
    }

    /** Sets what was given; a member that will take {@code count} messages leases no more. */
    void applyTo(SubscriptionBuilder builder, long count) {
        if (from != null) {
            builder.start(from.start());
        }
        if (group == null) {
            builder.readFrom(readFrom);
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
        if (mode != null && mode.group() != null) {
            builder.mode(mode.group());
        }
        settings.toMap().forEach(builder::groupSetting);
    }
}
