package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.v1.ClosePublisher;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.OpenPublisherOk;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** The publishers of one connection. Confined to its event loop. */
final class PublishRequests {
    private final SessionContext context;
    private final Outbox outbox;
    private final Gate gate;
    private final Published<Toggled> toggled;
    private final Map<Integer, PublisherHandle> publishers = new HashMap<>();

    PublishRequests(SessionContext context, Outbox outbox, Gate gate, Published<Toggled> toggled) {
        this.context = context;
        this.outbox = outbox;
        this.gate = gate;
        this.toggled = toggled;
    }

    boolean has(int channel) {
        return publishers.containsKey(channel);
    }

    /** The topic of the publisher on that channel; null when there is none. */
    @Nullable
    String topic(int channel) {
        PublisherHandle publisher = publishers.get(channel);
        return publisher == null ? null : publisher.topic();
    }

    /** A publish that nobody looks at. */
    void lose(Frame frame) {
        PublisherHandle publisher = publishers.get(frame.channel());
        if (publisher != null) {
            publisher.lose(frame);
        }
    }

    void publish(Frame frame) {
        PublisherHandle publisher = publishers.get(frame.channel());
        if (publisher == null) {
            throw WireErrors.noHandle("publisher", frame.channel(), "open it first: OPEN_PUBLISHER");
        }
        publisher.publish(frame, context.clock.nanoTime());
    }

    /** @param requireFree throws for a channel that is in use */
    void open(Frame frame, IntConsumer requireFree, Load load) {
        OpenPublisher open = frame.header(OpenPublisher.parser());
        Audit.refuseChange(open.getTopic());
        TopicSpec topic = context.catalog.get().get(open.getTopic());
        int index = open.getAnyPartition() ? 0 : open.getPartition();
        if (index < 0 || index >= topic.partitions()) {
            throw WireErrors.invalid(
                    "topic " + topic.name() + " has no partition " + open.getPartition(),
                    "it has " + topic.partitions(),
                    "choose one from 0 to " + (topic.partitions() - 1));
        }
        PublisherHandle.requirePossible(
                context.cluster.get(),
                open.getDurability(),
                open.getAllowDegraded() && toggled.get().allowsDegraded());
        int channel = frame.channel();
        requireFree.accept(channel);
        ConsumeRequests.requireFewer(publishers.size(), Limits.MAX_PUBLISHERS_PER_CONNECTION);
        PublisherHandle handle = new PublisherHandle(context, load, toggled, outbox, topic, channel, index, open);
        long producerId = open.getProducerId() == 0 ? gate.newProducer(context.random) : open.getProducerId();
        AdminRequests.offer(
                context.mailbox(topic),
                new ShardCommand.OpenPublisher(
                        topic.partitionId(index),
                        open.getProducerName(),
                        producerId,
                        open.getProducerEpoch(),
                        gate::owns,
                        outbox.reply(
                                FrameKind.OPEN_PUBLISHER,
                                channel,
                                frame.correlation(),
                                opened -> toWire(opened, handle, topic),
                                () -> publishers.remove(channel, handle))));
        publishers.put(channel, handle);
    }

    private OpenPublisherOk toWire(ShardCommand.PublisherOpened opened, PublisherHandle handle, TopicSpec topic) {
        OpenPublisherOk.Builder ok = OpenPublisherOk.newBuilder()
                .setProducerId(opened.producerId())
                .setProducerEpoch(opened.epoch())
                .setCredit(handle.credit())
                .setMaxInflightBatches(context.config.windowBatches())
                .setCodecs(1)
                .setTopicRevision(topic.revision());
        if (opened.lastSequence() >= 0) {
            ok.setHasLast(true).setLastSequence(opened.lastSequence()).setLastOffset(opened.lastOffset());
        }
        return ok.build();
    }

    void close(Frame frame) {
        publishers.remove(frame.channel());
        outbox.answer(
                FrameKind.CLOSE_PUBLISHER, frame.channel(), frame.correlation(), ClosePublisher.getDefaultInstance());
    }

    void pauseBulk(PressureSignal signal) {
        publishers.values().forEach(publisher -> publisher.pauseBulk(signal));
    }

    void onClosed() {
        publishers.clear();
    }
}
