package io.spillway.broker.session;

import io.spillway.broker.catalog.GroupConfig;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.dispatch.HealthReport;
import io.spillway.broker.filter.Filter;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.v1.Ack;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.AckResult;
import io.spillway.protocol.v1.CreditGrant;
import io.spillway.protocol.v1.Subscribe;
import io.spillway.protocol.v1.SubscribeOk;
import io.spillway.protocol.v1.Unsubscribe;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The subscriptions of one connection. Confined to its event loop. */
final class ConsumeRequests {
    private static final int ROLE_STANDBY = 1;

    private final SessionContext context;
    private final Connection connection;
    private final Outbox outbox;
    private final Supplier<Caller> caller;
    private final Restraint restraint;
    private final Map<Integer, SubscriptionHandle> subscriptions = new HashMap<>();
    private final HealthReports reports = new HealthReports();

    /** @param caller known once the session has begun */
    ConsumeRequests(
            SessionContext context,
            Connection connection,
            Outbox outbox,
            Supplier<Caller> caller,
            Restraint restraint) {
        this.context = context;
        this.connection = connection;
        this.outbox = outbox;
        this.caller = caller;
        this.restraint = restraint;
    }

    boolean has(int channel) {
        return subscriptions.containsKey(channel);
    }

    /** The topic of the subscription on that channel; null when there is none. */
    @Nullable
    String topic(int channel) {
        SubscriptionHandle subscription = subscriptions.get(channel);
        return subscription == null ? null : subscription.topic();
    }

    static void requireFewer(int inUse, int limit) {
        if (inUse >= limit) {
            throw WireErrors.invalid(
                    "a connection has at most " + limit + " publishers and " + limit + " subscriptions",
                    inUse + " are open",
                    "close some or use another connection");
        }
    }

    /**
     * On a channel that is free.
     *
     * @param onlyReads the connection may stay when another node leads
     */
    void subscribe(Frame frame, boolean onlyReads) {
        Subscribe subscribe = frame.header(Subscribe.parser());
        TopicSpec topic = context.catalog.get().get(subscribe.getTopic());
        requireFewer(subscriptions.size(), Limits.MAX_SUBSCRIPTIONS_PER_CONNECTION);
        Mailbox mailbox = context.mailbox(topic);
        int channel = frame.channel();
        Caller who = caller.get();
        SubscriptionHandle.Owner owner = new SubscriptionHandle.Owner(
                topic.name(), who.identityOf(subscribe.getConsumerName()), who.flow(), onlyReads);
        SubscriptionHandle handle = new SubscriptionHandle(
                connection, outbox, mailbox, channel, owner, gone -> subscriptions.remove(channel, gone));
        var reply = outbox.<ShardCommand.Subscribed>reply(
                FrameKind.SUBSCRIBE,
                channel,
                frame.correlation(),
                subscribed -> SubscribeOk.newBuilder()
                        .setMemberEpoch(subscribed.memberId())
                        .addAllPartitions(subscribed.partitions())
                        .setLeaseMs(subscribed.leaseMs())
                        .setRole(subscribed.active() ? 0 : ROLE_STANDBY)
                        .build(),
                handle::forget);
        if (subscribe.getMode() == FollowerReads.MODE_STREAM) {
            AdminRequests.offer(
                    mailbox,
                    new ShardCommand.SubscribeStream(
                            topic.topicId(),
                            subscribe.getPartitionsList(),
                            subscribe.getStart(),
                            subscribe.getStartsList(),
                            subscribe.getFilter().isEmpty() ? null : Filter.parse(subscribe.getFilter()),
                            handle,
                            reply));
        } else {
            if (subscribe.getPartitionsCount() > 0) {
                throw WireErrors.invalid(
                        "a group member asked for certain partitions",
                        "the members of a group share all of them",
                        "leave the partitions out, or read as a stream");
            }
            AdminRequests.offer(
                    mailbox,
                    new ShardCommand.SubscribeGroup(
                            topic.topicId(),
                            subscribe.getGroup(),
                            subscribe.getMode(),
                            subscribe.getStart(),
                            subscribe.getLeaseMs(),
                            subscribe.getMaxUnacked(),
                            settings(subscribe),
                            who.nameOf(subscribe.getConsumerName()),
                            subscribe.getRole() == ROLE_STANDBY,
                            handle,
                            restraint.refusal("beginning group " + subscribe.getGroup()),
                            reply));
        }
        subscriptions.put(channel, handle);
        if (subscribe.hasCredit()) {
            AdminRequests.offer(
                    mailbox,
                    new ShardCommand.Grant(
                            handle,
                            subscribe.getCredit().getMaxBatches(),
                            subscribe.getCredit().getMaxBytes(),
                            false));
        }
    }

    /** The group's settings, of which two have fields of their own. */
    private static Map<String, String> settings(Subscribe subscribe) {
        Map<String, String> settings = new LinkedHashMap<>();
        if (subscribe.getMaxDeliveries() != 0) {
            settings.put(GroupConfig.MAX_DELIVERIES, Integer.toUnsignedString(subscribe.getMaxDeliveries()));
        }
        if (!subscribe.getFilter().isEmpty()) {
            settings.put(GroupConfig.FILTER, subscribe.getFilter());
        }
        settings.putAll(subscribe.getGroupConfigMap());
        return settings;
    }

    private SubscriptionHandle subscription(Frame frame) {
        SubscriptionHandle subscription = subscriptions.get(frame.channel());
        if (subscription == null) {
            throw WireErrors.noHandle("subscription", frame.channel(), "open it first: SUBSCRIBE");
        }
        return subscription;
    }

    void grant(Frame frame) {
        SubscriptionHandle subscription = subscription(frame);
        CreditGrant grant = frame.header(CreditGrant.parser());
        AdminRequests.offer(
                subscription.mailbox(),
                new ShardCommand.Grant(
                        subscription,
                        grant.getCredit().getMaxBatches(),
                        grant.getCredit().getMaxBytes(),
                        grant.getPaused()));
    }

    /** Passes on how the client is to all its members. The next report comes soon, so one may be lost. */
    void report(Frame frame, String zone) {
        if (!context.config.controls()) {
            return;
        }
        int nearPm = HealthReports.nearPm(
                Leader.zone(context.cluster.get(), context.nodeId), zone, context.config.otherZonePercent());
        HealthReport report = reports.read(
                frame.header(io.spillway.protocol.v1.HealthReport.parser()), nearPm, context.clock.nowMs());
        if (report != null) {
            for (SubscriptionHandle subscription : subscriptions.values()) {
                subscription.mailbox().offer(new ShardCommand.Health(subscription, report));
            }
        }
    }

    void settle(Frame frame) {
        SubscriptionHandle subscription = subscription(frame);
        Ack ack = frame.header(Ack.parser());
        for (AckItem item : ack.getItemsList()) {
            if (!ShardCommand.Settle.isKnownOutcome(item.getOutcome())) {
                throw WireErrors.invalid(
                        "unknown ack outcome " + item.getOutcome(), "this broker knows 0 to 4", "use a newer broker");
            }
        }
        var reply = outbox.<List<io.spillway.protocol.v1.ItemError>>reply(
                FrameKind.ACK,
                frame.channel(),
                frame.correlation(),
                errors -> AckResult.newBuilder().addAllErrors(errors).build());
        AdminRequests.offer(
                subscription.mailbox(),
                new ShardCommand.Settle(subscription, ack.getItemsList(), ack.getWantResult(), reply));
    }

    void unsubscribe(Frame frame) {
        SubscriptionHandle subscription = subscriptions.remove(frame.channel());
        if (subscription == null) {
            // The broker may have ended it while the request was under way.
            outbox.answer(
                    FrameKind.UNSUBSCRIBE, frame.channel(), frame.correlation(), Unsubscribe.getDefaultInstance());
            return;
        }
        subscription.unsubscribe(outbox.reply(
                FrameKind.UNSUBSCRIBE, frame.channel(), frame.correlation(), done -> Unsubscribe.getDefaultInstance()));
    }

    /** The connection takes more again. */
    void onWritable() {
        subscriptions.values().forEach(SubscriptionHandle::onWritable);
    }

    /** The connection is gone: its leases go back to their groups. */
    void onClosed() {
        for (SubscriptionHandle subscription : subscriptions.values()) {
            subscription.unsubscribe(null);
        }
        subscriptions.clear();
    }
}
