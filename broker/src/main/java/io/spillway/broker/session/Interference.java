package io.spillway.broker.session;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.chaos.Fault;
import io.spillway.broker.chaos.FaultKind;
import io.spillway.broker.chaos.Faults;
import io.spillway.broker.flow.FlowKey;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Subscribe;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What injected faults do to the requests of one connection: those that publish and consume, never those of operators, who
 * have to end it. A delayed request holds back those after it on its channel, as their order is what makes sense of them.
 * Confined to the connection's event loop.
 */
final class Interference {
    /** Beyond these a delay ends early: what waits is memory. */
    private static final int MOST_HELD = 4_096;

    private static final long MOST_HELD_BYTES = 64 << 20;
    private static final long NS_PER_MS = 1_000_000;

    private final SessionContext context;
    private final Connection connection;
    private final Outbox outbox;
    private final Supplier<FlowKey> whose;
    private final PublishRequests publishers;
    private final ConsumeRequests consumers;
    private final BiConsumer<FrameKind, Frame> perform;
    private final Map<Integer, ArrayDeque<Held>> held = new HashMap<>();
    private int heldFrames;
    private long heldBytes;

    private record Held(FrameKind kind, Frame frame, long dueNs) {
        int bytes() {
            return frame.header().readableBytes() + frame.payload().readableBytes();
        }
    }

    /** What is open on the connection. */
    record Open(PublishRequests publishers, ConsumeRequests consumers) {}

    /**
     * @param whose load the connection is
     * @param perform handles a frame, and leaves its release to the caller
     */
    Interference(
            SessionContext context,
            Connection connection,
            Supplier<FlowKey> whose,
            Open open,
            BiConsumer<FrameKind, Frame> perform) {
        this.context = context;
        this.connection = connection;
        outbox = new Outbox(connection);
        this.whose = whose;
        publishers = open.publishers();
        consumers = open.consumers();
        this.perform = perform;
    }

    /** Whether it has taken the frame, and has retained it if it still needs it. */
    boolean takes(FrameKind kind, Frame frame) {
        Faults faults = context.faults();
        if (faults == Faults.NONE && held.isEmpty()) {
            return false;
        }
        if (held.containsKey(frame.channel()) && kind != FrameKind.PING) {
            hold(kind, frame, 0);
            return true;
        }
        String topic = topic(kind, frame);
        FlowKey key = whose.get();
        Fault fault = topic == null ? null : faults.ofRequest(topic, key.principal(), key.domain(), context.random);
        if (fault == null) {
            return false;
        }
        if (fault.kind() == FaultKind.DELAY) {
            hold(kind, frame, fault.what().delayMs());
        } else {
            lose(kind, frame, fault);
        }
        return true;
    }

    /** Which topic a request is about; null when it is none that faults are for. */
    private @Nullable String topic(FrameKind kind, Frame frame) {
        return switch (kind) {
            case PUBLISH -> publishers.topic(frame.channel());
            case ACK -> consumers.topic(frame.channel());
            case OPEN_PUBLISHER -> frame.header(OpenPublisher.parser()).getTopic();
            case SUBSCRIBE -> frame.header(Subscribe.parser()).getTopic();
            default -> null;
        };
    }

    private void lose(FrameKind kind, Frame frame, Fault fault) {
        SpillwayException error = fault.kind() == FaultKind.ERROR
                ? new SpillwayException(
                                fault.what().code(),
                                "a request was refused before any work",
                                fault.text(),
                                "nothing is wrong: a rehearsal is going on; see spillway chaos list")
                        .with("chaos", fault.id())
                : null;
        if (kind == FrameKind.PUBLISH) {
            publishers.lose(frame);
        }
        if (error != null) {
            outbox.fail(kind, frame.channel(), frame.correlation(), WireErrors.of(error));
        }
    }

    private void hold(FrameKind kind, Frame frame, long delayMs) {
        ArrayDeque<Held> queue = held.computeIfAbsent(frame.channel(), channel -> new ArrayDeque<>());
        long dueNs = context.clock.nanoTime() + delayMs * NS_PER_MS;
        Held last = queue.peekLast();
        frame.header().retain();
        frame.payload().retain();
        Held next = new Held(kind, frame, last == null ? dueNs : Math.max(dueNs, last.dueNs));
        queue.add(next);
        heldFrames++;
        heldBytes += next.bytes();
        if (heldFrames > MOST_HELD || heldBytes > MOST_HELD_BYTES) {
            release(frame.channel(), Long.MAX_VALUE);
        } else {
            later(frame.channel(), next.dueNs);
        }
    }

    private void later(int channel, long dueNs) {
        long waitNs = Math.max(0, dueNs - context.clock.nanoTime());
        CompletableFuture.delayedExecutor(waitNs, TimeUnit.NANOSECONDS, connection::execute)
                .execute(() -> release(channel, dueNs));
    }

    /** Lets go what is due on a channel. */
    private void release(int channel, long nowNs) {
        ArrayDeque<Held> queue = held.get(channel);
        while (queue != null && !queue.isEmpty() && queue.element().dueNs <= nowNs) {
            Held next = queue.remove();
            if (queue.isEmpty()) {
                held.remove(channel);
            }
            heldFrames--;
            heldBytes -= next.bytes();
            try {
                perform.accept(next.kind, next.frame);
            } catch (ProtocolException e) {
                // Where it would have ended the connection at once, it does so late.
                context.protocolErrors.increment();
                connection.closeAfterFlush();
            } finally {
                next.frame.release();
            }
        }
    }

    void onClosed() {
        held.values().forEach(queue -> queue.forEach(each -> each.frame.release()));
        held.clear();
    }
}
