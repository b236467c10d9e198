package io.spillway.broker.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.RecordBatch;
import io.spillway.protocol.RecordView;
import io.spillway.protocol.v1.Credit;
import io.spillway.protocol.v1.Deliver;
import io.spillway.protocol.v1.Segment;
import io.spillway.protocol.v1.Subscribe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Reads a few records as a stream reader does, within a fixed credit. Confined to the executor of its line. */
final class HouseReader {
    /** Batches of more bytes are not asked for at a time; the last may go beyond, by one batch. */
    private static final int MAX_BYTES = 1 << 20;
    /** That nothing more comes is known by the end; a gap in the log is not, so it does not wait for ever. */
    private static final int MAX_MS = 1_500;

    private static final int CHANNEL = 1;
    private static final int OFFSET = 3;

    private final HouseReading asked;
    private final CompletableFuture<List<HouseRecord>> answer;
    private final List<HouseRecord> records = new ArrayList<>();
    private int batches;
    private long bytes;

    HouseReader(HouseReading asked, CompletableFuture<List<HouseRecord>> answer) {
        this.asked = asked;
        this.answer = answer;
    }

    void begin(HouseLine line, int correlation) {
        line.say(
                FrameKind.SUBSCRIBE,
                CHANNEL,
                correlation,
                Subscribe.newBuilder()
                        .setTopic(asked.topic())
                        .addPartitions(asked.partition())
                        .setMode(FollowerReads.MODE_STREAM)
                        .setStart(asked.start())
                        .setConsumerName("console")
                        .setCredit(
                                Credit.newBuilder().setMaxBatches(asked.limit()).setMaxBytes(MAX_BYTES))
                        .build());
        CompletableFuture.delayedExecutor(MAX_MS, TimeUnit.MILLISECONDS, line::execute)
                .execute(() -> answer.complete(records));
    }

    void heard(HouseFrame frame) {
        if (frame.isError()) {
            answer.completeExceptionally(HouseLine.failure(frame));
        } else if (frame.is(FrameKind.DELIVER) && !answer.isDone()) {
            take(frame);
        }
    }

    private void take(HouseFrame frame) {
        ByteBuf payload = Unpooled.wrappedBuffer(frame.payload());
        int at = 0;
        long next = 0;
        for (Segment segment : frame.header(Deliver.parser()).getSegmentsList()) {
            takeBatch(payload, at);
            next = RecordBatch.baseOffset(payload, at) + RecordBatch.recordCount(payload, at);
            at += segment.getBytes();
            batches++;
            bytes += segment.getBytes();
        }
        boolean isFull = records.size() >= asked.limit() || batches >= asked.limit() || bytes >= MAX_BYTES;
        if (isFull || next >= asked.end()) {
            answer.complete(records);
        }
    }

    private void takeBatch(ByteBuf payload, int at) {
        long appendMs = RecordBatch.appendTimeMs(payload, at);
        long offset = RecordBatch.baseOffset(payload, at);
        long first = asked.start().getKind() == OFFSET ? asked.start().getOffset() : 0;
        RecordView view = new RecordView().wrap(payload, at);
        for (int left = RecordBatch.recordCount(payload, at); left > 0; left--, offset++) {
            String malformed = "";
            try {
                view.next();
            } catch (ProtocolException e) {
                malformed = String.valueOf(e.getMessage());
            }
            if (offset >= first && offset < asked.end() && records.size() < asked.limit()) {
                records.add(
                        malformed.isEmpty()
                                ? HouseRecord.of(offset, appendMs, view)
                                : HouseRecord.malformed(offset, appendMs, view, malformed));
            }
        }
    }
}
