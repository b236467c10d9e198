package io.spillway.client;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.spillway.client.FakeTopics.FakePartition;
import io.spillway.client.FakeTopics.Sequence;
import io.spillway.client.FakeTopics.Stored;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.v1.Ack;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.AckResult;
import io.spillway.protocol.v1.Bye;
import io.spillway.protocol.v1.Credit;
import io.spillway.protocol.v1.CreditGrant;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.Endpoint;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.Handoff;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.Metadata;
import io.spillway.protocol.v1.MetadataOk;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.OpenPublisherOk;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.PublishAck;
import io.spillway.protocol.v1.Segment;
import io.spillway.protocol.v1.Start;
import io.spillway.protocol.v1.Subscribe;
import io.spillway.protocol.v1.SubscribeOk;
import io.spillway.protocol.v1.TopicAdmin;
import io.spillway.protocol.v1.TopicInfo;
import io.spillway.protocol.v1.TopicList;
import io.spillway.protocol.v1.Unsubscribe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One connection of a {@link FakeBroker}. Confined to its thread. */
final class FakeSession {
    private static final int PURGE = 4;

    private final Channel channel;
    private final FakeTopics topics;
    /** What it says of its cluster. */
    List<Endpoint> named = List.of();

    private final Map<Integer, OpenPublisher> publishers = new HashMap<>();
    private final Map<Integer, Subscriber> subscribers = new HashMap<>();

    FakeSession(Channel channel, FakeTopics topics) {
        this.channel = channel;
        this.topics = topics;
    }

    Channel channel() {
        return channel;
    }

    void send(FrameKind kind, int flags, int handle, int correlation, MessageLite header, ByteBuf payload) {
        channel.write(
                Frame.encodePrefix(channel.alloc(), kind, flags, handle, correlation, header, payload.readableBytes()));
        channel.writeAndFlush(payload);
    }

    void respond(Frame to, MessageLite header) {
        respond(to, header, Unpooled.EMPTY_BUFFER);
    }

    private void respond(Frame to, MessageLite header, ByteBuf payload) {
        if (to.correlation() != 0) {
            send(
                    Objects.requireNonNull(FrameKind.of(to.kindCode())),
                    Frame.RESPONSE,
                    to.channel(),
                    to.correlation(),
                    header,
                    payload);
        }
    }

    void refuse(Frame to, Error error) {
        send(
                Objects.requireNonNull(FrameKind.of(to.kindCode())),
                Frame.RESPONSE | Frame.ERROR,
                to.channel(),
                to.correlation(),
                error,
                Unpooled.EMPTY_BUFFER);
    }

    void request(FrameKind kind, Frame frame) {
        switch (kind) {
            case OPEN_PUBLISHER -> openPublisher(frame);
            case CLOSE_PUBLISHER -> publishers.remove(frame.channel());
            case SUBSCRIBE -> subscribe(frame);
            case CREDIT_GRANT -> {
                Subscriber subscriber = subscribers.get(frame.channel());
                if (subscriber != null) {
                    subscriber.grant(frame.header(CreditGrant.parser()));
                }
            }
            case ACK -> ack(frame);
            case UNSUBSCRIBE -> {
                topics.subscribers.remove(subscribers.remove(frame.channel()));
                respond(frame, Unsubscribe.getDefaultInstance());
            }
            case METADATA -> metadata(frame);
            case TOPIC_ADMIN -> topicAdmin(frame);
            case GROUP_ADMIN -> {
                topics.groupRequests.add(frame.header(GroupAdmin.parser()));
                respond(frame, topics.groupAnswer, Unpooled.wrappedBuffer(topics.groups.toByteArray()));
            }
            case BYE -> respond(frame, Bye.getDefaultInstance());
            default -> refuse(frame, FakeBroker.error(Code.UNSUPPORTED_KIND, 0));
        }
    }

    // ---- publish

    private void openPublisher(Frame frame) {
        OpenPublisher open = frame.header(OpenPublisher.parser());
        FakePartition partition = topics.find(open.getTopic(), open.getPartition());
        if (partition == null) {
            refuse(frame, FakeBroker.error(Code.TOPIC_NOT_FOUND, 0));
            return;
        }
        long id = open.getProducerId() == 0 ? topics.nextProducerId++ : open.getProducerId();
        publishers.put(frame.channel(), open.toBuilder().setProducerId(id).build());
        Sequence known = partition.producers.get(id);
        OpenPublisherOk.Builder ok = OpenPublisherOk.newBuilder()
                .setProducerId(id)
                .setProducerEpoch(open.getProducerEpoch())
                .setCredit(
                        Credit.newBuilder().setMaxBatches(topics.creditBatches).setMaxBytes(topics.creditBytes))
                .setMaxInflightBatches(topics.maxInFlight);
        if (known != null && known.epoch == open.getProducerEpoch() && known.next > 0) {
            ok.setHasLast(true).setLastSequence(known.next - 1);
        }
        respond(frame, ok.build());
    }

    /** Stores the batch, or not, and returns what sends the answer. */
    Runnable publish(Frame frame) {
        OpenPublisher open = publishers.get(frame.channel());
        FakePartition partition = open == null ? null : topics.find(open.getTopic(), open.getPartition());
        ByteBuf batch = frame.payload();
        int at = batch.readerIndex();
        RecordBatch.validate(batch, at, batch.readableBytes(), FrameDecoder.DEFAULT_MAX_FRAME_BYTES);
        if (partition == null) {
            return answer(frame, null, FakeBroker.error(Code.TOPIC_NOT_FOUND, 0));
        }
        long base = RecordBatch.baseSequence(batch, at);
        int epoch = RecordBatch.producerEpoch(batch, at);
        Sequence sequence =
                partition.producers.computeIfAbsent(RecordBatch.producerId(batch, at), id -> new Sequence());
        if (epoch < sequence.epoch) {
            return answer(frame, null, FakeBroker.error(Code.PRODUCER_FENCED, 0));
        }
        if (epoch > sequence.epoch) {
            sequence.epoch = epoch;
            sequence.next = 0;
            sequence.batches.clear();
        }
        if (base > sequence.next) {
            return answer(frame, null, FakeBroker.error(Code.SEQUENCE_GAP, 0));
        }
        Stored before = sequence.batches.get(base);
        Stored stored = before == null ? topics.append(partition, batch) : before;
        sequence.batches.put(base, stored);
        sequence.next = Math.max(sequence.next, base + stored.count());
        topics.deliver();
        PublishAck.Builder ack = PublishAck.newBuilder()
                .setBaseSequence(base)
                .setCount(stored.count())
                .setBaseOffset(stored.baseOffset())
                .setReached(Durability.DUR_SYNCED)
                .setDuplicate(before != null)
                .setAppendUnixMs(FakeTopics.APPEND_TIME_MS)
                .setCredit(
                        Credit.newBuilder().setMaxBatches(topics.creditBatches).setMaxBytes(topics.creditBytes));
        ItemError refused = topics.itemErrors.poll();
        if (refused != null) {
            ack.addErrors(refused);
        }
        return answer(frame, ack.build(), null);
    }

    /** What refuses the publish later. */
    Runnable refusal(Frame frame, Error error) {
        return answer(frame, null, error);
    }

    private Runnable answer(Frame frame, @Nullable PublishAck ack, @Nullable Error error) {
        int handle = frame.channel();
        int correlation = frame.correlation();
        return () -> {
            if (ack != null) {
                send(FrameKind.PUBLISH, Frame.RESPONSE, handle, correlation, ack, Unpooled.EMPTY_BUFFER);
            } else if (error != null) {
                send(
                        FrameKind.PUBLISH,
                        Frame.RESPONSE | Frame.ERROR,
                        handle,
                        correlation,
                        error,
                        Unpooled.EMPTY_BUFFER);
            }
        };
    }

    // ---- consume

    private void subscribe(Frame frame) {
        Subscribe subscribe = frame.header(Subscribe.parser());
        List<FakePartition> partitions = topics.topics.get(subscribe.getTopic());
        if (partitions == null) {
            refuse(frame, FakeBroker.error(Code.TOPIC_NOT_FOUND, 0));
            return;
        }
        Subscriber subscriber = new Subscriber(this, frame.channel(), subscribe, partitions.size());
        subscribers.put(frame.channel(), subscriber);
        topics.subscribers.add(subscriber);
        SubscribeOk.Builder ok =
                SubscribeOk.newBuilder().setLeaseMs(topics.leaseMs).setRole(topics.role);
        for (int i = 0; i < partitions.size(); i++) {
            ok.addPartitions(i);
        }
        respond(frame, ok.build());
        subscriber.deliver();
    }

    /** One subscription. Remembers what it was asked, delivers each batch once, and counts credit. */
    static final class Subscriber {
        final Subscribe asked;
        CreditGrant granted;
        long sentBatches;
        long sentBytes;

        private final FakeSession session;
        private final int handle;
        private final long[] next;

        Subscriber(FakeSession session, int handle, Subscribe asked, int partitions) {
            this.session = session;
            this.handle = handle;
            this.asked = asked;
            granted = CreditGrant.newBuilder().setCredit(asked.getCredit()).build();
            next = new long[partitions];
            for (Start start : asked.getStartsList()) {
                next[start.getPartition()] = start.getOffset();
            }
        }

        FakeSession session() {
            return session;
        }

        void handOver(boolean gained) {
            Handoff change = Handoff.newBuilder().setGained(gained).build();
            session.send(FrameKind.HANDOFF, 0, handle, 0, change, Unpooled.EMPTY_BUFFER);
        }

        void end(Error error) {
            session.subscribers.remove(handle);
            session.topics.subscribers.remove(this);
            session.send(FrameKind.SUBSCRIBE, Frame.RESPONSE | Frame.ERROR, handle, 0, error, Unpooled.EMPTY_BUFFER);
        }

        void grant(CreditGrant grant) {
            granted = grant;
            deliver();
        }

        void deliver() {
            for (int p = 0; p < next.length; p++) {
                for (Stored batch : List.copyOf(session.topics.partition(asked.getTopic(), p).batches)) {
                    boolean due = batch.baseOffset() + batch.count() > next[p];
                    if (due && !mayDeliver(batch)) {
                        break;
                    }
                    if (due) {
                        next[p] = batch.baseOffset() + batch.count();
                        deliver(p, batch);
                    }
                }
            }
        }

        private boolean mayDeliver(Stored batch) {
            Credit credit = granted.getCredit();
            return !granted.getPaused()
                    && sentBatches < credit.getMaxBatches()
                    && sentBytes + batch.bytes().length <= credit.getMaxBytes();
        }

        private void deliver(int partition, Stored batch) {
            sentBatches++;
            sentBytes += batch.bytes().length;
            byte[] bytes = batch.bytes().clone();
            if (session.topics.corruptDeliveries > 0) {
                session.topics.corruptDeliveries--;
                bytes[bytes.length - 1] ^= 1;
            }
            boolean stream = asked.getMode() == 3;
            Deliver header = Deliver.newBuilder()
                    .addSegments(Segment.newBuilder()
                            .setPartition(partition)
                            .setBaseOffset(batch.baseOffset())
                            .setBytes(bytes.length)
                            .setFence(stream ? 0 : session.topics.nextFence++)
                            .setLeaseMs(session.topics.leaseMs)
                            .setFailures(session.topics.failures)
                            .setAttempt(1 + session.topics.failures))
                    .setUnixMs(session.topics.brokerMs)
                    .build();
            session.send(FrameKind.DELIVER, 0, handle, 0, header, Unpooled.wrappedBuffer(bytes));
        }
    }

    private void ack(Frame frame) {
        AckResult.Builder result = AckResult.newBuilder();
        List<AckItem> items = frame.header(Ack.parser()).getItemsList();
        for (int i = 0; i < items.size(); i++) {
            AckItem item = items.get(i);
            if (item.getFence() <= topics.leasesLostUpToFence) {
                result.addErrors(
                        ItemError.newBuilder().setIndex(i).setCount(1).setError(FakeBroker.error(Code.LEASE_LOST, 0)));
            } else {
                topics.settled.add(item);
                topics.settlements.add(
                        item.getOutcome() + " " + item.getPartition() + " " + item.getFirst() + "-" + item.getLast());
            }
        }
        respond(frame, result.build());
    }

    // ---- admin

    private void metadata(Frame frame) {
        Metadata asked = frame.header(Metadata.parser());
        TopicList.Builder found = TopicList.newBuilder();
        List<String> names = asked.getAll() ? new ArrayList<>(topics.topics.keySet()) : asked.getTopicsList();
        for (String name : names) {
            if (!topics.topics.containsKey(name)) {
                refuse(frame, FakeBroker.error(Code.TOPIC_NOT_FOUND, 0));
                return;
            }
            found.addTopics(info(name));
        }
        respond(
                frame,
                MetadataOk.newBuilder().addAllEndpoints(named).build(),
                Unpooled.wrappedBuffer(found.build().toByteArray()));
    }

    private TopicInfo info(String name) {
        TopicInfo.Builder info = TopicInfo.newBuilder().setName(name);
        List<FakePartition> partitions = topics.topics.getOrDefault(name, List.of());
        for (int i = 0; i < partitions.size(); i++) {
            info.addPartitions(PartitionInfo.newBuilder()
                    .setPartition(i)
                    .setEndOffset(partitions.get(i).endOffset)
                    .setVisibleOffset(partitions.get(i).endOffset));
        }
        return info.build();
    }

    private void topicAdmin(Frame frame) {
        TopicAdmin asked = frame.header(TopicAdmin.parser());
        topics.topicRequests.add(asked);
        if (asked.getOp() == PURGE) {
            respond(frame, info(asked.getTopic()));
        } else if (topics.topics.containsKey(asked.getTopic())) {
            refuse(frame, FakeBroker.error(Code.ALREADY_EXISTS, 0));
        } else {
            topics.create(asked.getTopic(), asked.getPartitions());
            respond(frame, info(asked.getTopic()));
        }
    }
}
