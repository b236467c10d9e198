package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Segment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A consumer of a test: keeps what it is sent, record by record. */
public final class TestMember extends QuietMember {
    /** One record of a delivery. */
    public record Delivered(
            int partition,
            long offset,
            long fence,
            int attempt,
            int failures,
            @Nullable String key,
            String value,
            Map<String, String> headers,
            long timestampMs,
            boolean tombstone) {}

    public final List<Delivered> received = new ArrayList<>();

    @Nullable
    SpillwayException ended;

    boolean active;
    boolean gone;
    /** What it was told when others took over from it. */
    final List<String> relieved = new ArrayList<>();

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public void deliver(Deliver header, ByteBuf payload) {
        int at = payload.readerIndex();
        for (Segment segment : header.getSegmentsList()) {
            take(segment, payload, at);
            at += segment.getBytes();
        }
        payload.release();
    }

    private void take(Segment segment, ByteBuf payload, int at) {
        RecordView view = new RecordView().wrap(payload, at);
        byte[] selected = segment.getSelected().toByteArray();
        for (int i = 0; view.next(); i++) {
            if (selected.length == 0 || (selected[i >> 3] & 1 << (i & 7)) != 0) {
                received.add(read(segment, RecordBatch.baseOffset(payload, at) + i, view));
            }
        }
    }

    private static Delivered read(Segment segment, long offset, RecordView view) {
        Map<String, String> headers = new HashMap<>();
        view.headers((name, from, valueAt, valueBytes) ->
                headers.put(name, from.toString(valueAt, valueBytes, StandardCharsets.UTF_8)));
        byte[] key = view.key();
        return new Delivered(
                segment.getPartition(),
                offset,
                segment.getFence(),
                segment.getAttempt(),
                segment.getFailures(),
                key == null ? null : new String(key, StandardCharsets.UTF_8),
                new String(view.value(), StandardCharsets.UTF_8),
                headers,
                view.timestampMs(),
                view.isTombstone());
    }

    /** Takes out what came since the last time. */
    public List<Delivered> take() {
        List<Delivered> taken = List.copyOf(received);
        received.clear();
        return taken;
    }

    @Override
    public void gained(long memberId) {
        active = true;
    }

    @Override
    public void relieved(long memberId, List<Integer> slots, int drainMs) {
        active = false;
        relieved.add(slots.size() + " slots, " + drainMs + " ms");
    }

    @Override
    public void ended(SpillwayException why) {
        ended = why;
    }
}
