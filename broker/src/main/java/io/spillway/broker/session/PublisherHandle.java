package io.spillway.broker.session;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.flow.FlowKey;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.shard.Batches;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.PublishOutcome;
import io.spillway.broker.shard.PublisherPort;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Credit;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.Publish;
import io.spillway.protocol.v1.PublishAck;
import org.jspecify.annotations.Nullable;

/**
 * A publisher's end in the broker: checks each batch, passes it to its shard, and writes the ack. Frames come on the
 * connection's event loop, outcomes on the shard thread; the two meet only in the counts of what was answered.
 */
final class PublisherHandle implements PublisherPort {
    private static final int REPLICAS_RETRY_MS = 1_000;
    private static final int CREDIT_RETRY_MS = 100;

    private final SessionContext context;
    private final Load load;
    private final Published<Toggled> toggled;
    private final ClassGate classes;
    private final Charges charges;
    private final Outbox outbox;
    private final Mailbox mailbox;
    private final String topic;
    private final int channel;
    private final int partitionId;
    private final Durability durability;
    private final boolean opensDegraded;
    private final RecordView view = new RecordView();
    private final PublishCredit credit;

    PublisherHandle(
            SessionContext context,
            Load load,
            Published<Toggled> toggled,
            Outbox outbox,
            TopicSpec spec,
            int channel,
            int partition,
            OpenPublisher open) {
        this.context = context;
        this.load = load;
        topic = spec.name();
        this.toggled = toggled;
        classes = new ClassGate(context, load, toggled, topic);
        charges = new Charges(context, load, topic);
        this.outbox = outbox;
        mailbox = context.mailbox(spec);
        credit = new PublishCredit(context.config, load.key().domain(), context.windows(spec));
        this.channel = channel;
        partitionId = spec.partitionId(partition);
        durability = open.getDurability();
        opensDegraded = open.getAllowDegraded();
    }

    /**
     * Throws for a level that cannot be reached, unless less will do: DURABILITY_UNAVAILABLE when this broker never can,
     * NOT_ENOUGH_REPLICAS while it is the only voter of its cluster.
     */
    static void requirePossible(ClusterView cluster, Durability level, boolean allowDegraded) {
        if (allowDegraded || !isQuorum(level) || cluster.voters() > 1) {
            return;
        }
        if (cluster.nodes().isEmpty()) {
            throw new SpillwayException(
                    Code.DURABILITY_UNAVAILABLE,
                    "durability " + level.name() + " cannot be reached",
                    "this broker runs alone and has no replicas",
                    "ask for SYNCED, or allow degraded acks");
        }
        throw new SpillwayException(
                Code.NOT_ENOUGH_REPLICAS,
                "durability " + level.name() + " cannot be reached now",
                "this node is the only voter of its cluster",
                "let nodes of other zones join, ask for SYNCED, or allow degraded acks",
                REPLICAS_RETRY_MS,
                null);
    }

    /** Levels that need replicas, and those that only a newer broker knows. */
    private static boolean isQuorum(Durability level) {
        return switch (level) {
            case DUR_DEFAULT, DUR_NONE, DUR_MAPPED, DUR_SYNCED -> false;
            case DUR_QUORUM, DUR_QUORUM_MAPPED, DUR_LOCAL_SPILLED, UNRECOGNIZED -> true;
        };
    }

    /** While there is some pressure, what matters least is to pause. On the event loop. */
    void pauseBulk(PressureSignal signal) {
        Backpressure.Builder told = classes.bulk(signal);
        if (told != null) {
            outbox.send(
                    FrameKind.BACKPRESSURE,
                    channel,
                    told.setChannel(channel).setCredit(credit()).build());
        }
    }

    String topic() {
        return topic;
    }

    /** A publish that nobody looks at: the credit for it comes back. On the event loop. */
    void lose(Frame frame) {
        int bytes = frame.payload().readableBytes();
        credit.received(bytes);
        unseen(bytes);
    }

    private boolean allowsDegraded() {
        return opensDegraded && toggled.get().allowsDegraded();
    }

    /** Takes a frame of one or more batches. On the event loop. */
    void publish(Frame frame, long nowNs) {
        Publish header = frame.header(Publish.parser());
        long deadlineNs = header.getTimeoutMs() == 0 ? 0 : nowNs + header.getTimeoutMs() * 1_000_000L;
        Durability required = header.getDurability() == Durability.DUR_DEFAULT ? durability : header.getDurability();
        int shedClass = classes.of(header);
        SpillwayException refusal = classes.refusal();
        if (refusal != null) {
            credit.received(frame.payload().readableBytes());
            unseen(frame.payload().readableBytes());
            outbox.fail(FrameKind.PUBLISH, channel, frame.correlation(), WireErrors.of(refusal));
            return;
        }
        ByteBuf payload = frame.payload();
        if (!payload.isReadable()) {
            refuse(frame.correlation(), new ProtocolException(Code.MALFORMED_FRAME, "a publish carries no batch"));
        }
        while (payload.isReadable()) {
            if (!credit.isLeft() && skip(payload, frame.correlation(), nowNs)) {
                continue;
            }
            ByteBuf batch;
            try {
                int bytes = RecordBatch.validate(
                        payload, payload.readerIndex(), payload.readableBytes(), Limits.MAX_BATCH_BYTES);
                batch = payload.readRetainedSlice(bytes);
            } catch (ProtocolException e) {
                // Where the next batch would begin cannot be known, so the rest of the frame goes too.
                refuse(frame.correlation(), e);
                return;
            }
            ShardCommand.Publish command = check(batch, frame.correlation(), nowNs, deadlineNs, required);
            if (command != null) {
                ShardCommand.Publish known = shedClass == classes.ofTopic() ? command : command.ofClass(shedClass);
                offer(header.getAttempt() > 1 ? known.retriedFor(Math.max(0, header.getQueuedMs())) : known);
            }
        }
    }

    /** Refuses a batch for which there is no credit, without a look at it; false when it does not even say how long it is. */
    private boolean skip(ByteBuf payload, int correlation, long nowNs) {
        int bytes = RecordBatch.claimedBytes(payload, payload.readerIndex(), payload.readableBytes());
        if (bytes == 0) {
            return false;
        }
        payload.skipBytes(bytes);
        outbox.fail(
                FrameKind.PUBLISH,
                channel,
                correlation,
                WireErrors.of(new SpillwayException(
                        Code.CREDIT_VIOLATION,
                        "a batch came without credit",
                        "as many batches or bytes are unanswered as were granted",
                        "wait for acks; each one carries new credit",
                        CREDIT_RETRY_MS,
                        null)));
        load.violations().add(nowNs, charges.waitMs());
        return true;
    }

    /** The command for a batch that may go on; null when it was refused. */
    private ShardCommand.@Nullable Publish check(
            ByteBuf batch, int correlation, long nowNs, long deadlineNs, Durability required) {
        int bytes = batch.readableBytes();
        boolean keyed;
        credit.received(bytes);
        try {
            requirePossible(context.cluster.get(), required, allowsDegraded());
            charges.requireCredit(nowNs);
            keyed = check(batch);
            takeRoom(bytes);
        } catch (ProtocolException e) {
            batch.release();
            unseen(bytes);
            refuse(correlation, e);
            return null;
        } catch (SpillwayException e) {
            batch.release();
            unseen(bytes);
            outbox.fail(FrameKind.PUBLISH, channel, correlation, WireErrors.of(e));
            return null;
        }
        return ShardCommand.Publish.of(this, partitionId, batch, keyed, correlation, nowNs, deadlineNs, required);
    }

    private void offer(ShardCommand.Publish command) {
        // Before the shard can answer, which says what is owed.
        charges.add(command.receivedNs(), command.bytes(), command.count());
        if (!mailbox.offer(command)) {
            charges.add(command.receivedNs(), -command.bytes(), -command.count());
            command.batch().release();
            refused(
                    command,
                    overloaded("the broker's queue for this topic is full")
                            .with("reason", "QUEUE_DELAY")
                            .with("scope", "topic:" + topic));
        }
    }

    private boolean check(ByteBuf batch) {
        int at = batch.readerIndex();
        if (RecordBatch.codec(batch, at) != 0) {
            throw new ProtocolException(Code.UNSUPPORTED_FEATURE, "this broker takes uncompressed batches only");
        }
        boolean keyed = Batches.admit(batch, at);
        if (keyed) {
            view.wrap(batch, at);
            while (view.next()) {
                view.index();
            }
        }
        return keyed;
    }

    /** What used credit of the client was refused here. */
    private void unseen(int bytes) {
        credit.answered(bytes);
        tellCredit();
    }

    private void takeRoom(int bytes) {
        if (context.draining.get()) {
            throw new SpillwayException(Code.DRAINING, "the broker is going away", "it was asked to stop", "reconnect");
        }
        if (!load.memory().take(bytes)) {
            String domain = load.key().domain();
            throw overloaded("publishes of " + context.publishBudget.bytes() + " bytes wait in the broker, "
                            + load.memory().domainBytes() + " of them from " + domain)
                    .with("reason", "MEMORY")
                    .with("scope", "domain:" + domain);
        }
    }

    private static SpillwayException overloaded(String why) {
        return new SpillwayException(
                Code.OVERLOADED,
                "a batch was refused before any work",
                why,
                "send again after the stated time, and slower",
                200,
                null);
    }

    private void refuse(int correlation, ProtocolException e) {
        context.protocolErrors.increment();
        outbox.fail(FrameKind.PUBLISH, channel, correlation, WireErrors.of(e));
    }

    private void answered(int bytes) {
        credit.answered(bytes);
        load.memory().give(bytes);
    }

    /** To begin with. */
    Credit credit() {
        return credit.after(0);
    }

    /** Errors carry no credit; where no ack will come that does, it is told by itself. From any thread. */
    private void tellCredit() {
        if (load.hearsOfPressure() && credit.isStuck()) {
            PressureSignal now = load.memory().signal();
            outbox.send(
                    FrameKind.BACKPRESSURE,
                    channel,
                    Backpressure.newBuilder()
                            .setSeq(now.seq())
                            .setChannel(channel)
                            .setState(now.state())
                            .addAllReasons(now.reasons())
                            .setScope(now.scope())
                            .setValidForMs(now.validForMs())
                            .setCredit(credit.after(0))
                            .build());
        }
    }

    @Override
    public int debtMs() {
        return charges.waitMs();
    }

    @Override
    public FlowKey flow() {
        return load.key();
    }

    @Override
    public void appended(ShardCommand.Publish command, PublishOutcome outcome) {
        boolean isDegraded = isQuorum(command.required()) && outcome.reached() != Durability.DUR_QUORUM;
        if (isDegraded && !allowsDegraded()) {
            refused(
                    command,
                    new SpillwayException(
                            Code.REPLICATION_TIMEOUT,
                            "a batch was stored, and did not reach "
                                    + command.required().name(),
                            "the cluster lost voters meanwhile and has one left",
                            "publish it again once other voters are back; it is not stored twice"));
            return;
        }
        answered(command.bytes());
        PublishAck.Builder ack = PublishAck.newBuilder()
                .setBaseSequence(command.baseSequence())
                .setCount(command.count())
                .setBaseOffset(outcome.baseOffset())
                .setReached(outcome.reached())
                .setDuplicate(outcome.duplicate())
                .setDegraded(isDegraded)
                .setAppendUnixMs(outcome.appendTimeMs())
                .setCredit(credit.after(command.bytes()))
                .setQueueUs(outcome.queueUs())
                .setSyncUs(outcome.syncUs());
        PressureState state = load.memory().signal().state();
        if (state != PressureState.P_NORMAL) {
            ack.setState(state);
        }
        int waitMs = charges.waitMs();
        if (waitMs > 0) {
            ack.setThrottleMs(waitMs);
        }
        if (!outcome.keyResults().isEmpty()) {
            ack.addAllKeyResults(outcome.keyResults());
        }
        if (!outcome.errors().isEmpty()) {
            ack.addAllErrors(outcome.errors());
        }
        outbox.answer(FrameKind.PUBLISH, channel, command.correlation(), ack.build(), context.zoneLag());
    }

    @Override
    public void refused(ShardCommand.Publish command, SpillwayException why) {
        answered(command.bytes());
        tellCredit();
        outbox.fail(FrameKind.PUBLISH, channel, command.correlation(), WireErrors.of(why));
    }
}
