package io.spillway.broker.shard;

import io.spillway.broker.base.Pace;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says which records groups give up, with what their publishers know them by: so many a second, and how many went unnamed since the
 * one before. Confined to the shard thread.
 */
final class DeadLetterEvents {
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterEvents.class);
    private static final String CORRELATION_ID = "spillway-correlation-id";
    private static final int TRACE_ID_AT = 1;
    private static final int TRACE_ID_END = 17;
    private static final int MOST_CHARS = 200;
    private static final int PER_SECOND = 10;

    private final Pace pace = new Pace(PER_SECOND);
    private int unnamed;

    /** @param view at the record; null when its parts cannot be told apart */
    void given(DeadLetter item, long offset, @Nullable RecordView view, long nowMs) {
        if (pace.available(1, nowMs) < 1) {
            unnamed++;
            return;
        }
        pace.take(1);
        LOG.warn(
                "event=dead_letter topic={} offset={} group={} attempts={} code={} correlation_id={} trace_id={} unnamed={} "
                        + "what=\"a record was given up\" why=\"{}\" next=\"spillway dlq list {}\"",
                item.place().partition,
                offset,
                item.group().name(),
                item.attempts(),
                item.cause(),
                view == null ? "" : correlationId(view),
                view == null ? "" : traceId(view),
                unnamed,
                line(item.error()),
                item.group().topic.spec.name());
        unnamed = 0;
    }

    private static String traceId(RecordView view) {
        byte[] trace = view.trace();
        return trace == null ? "" : HexFormat.of().formatHex(trace, TRACE_ID_AT, TRACE_ID_END);
    }

    private static String correlationId(RecordView view) {
        StringBuilder found = new StringBuilder();
        view.headers((name, from, valueAt, valueBytes) -> {
            if (found.isEmpty() && name.equals(CORRELATION_ID)) {
                found.append(from.toString(valueAt, valueBytes, StandardCharsets.UTF_8));
            }
        });
        return line(found.toString());
    }

    /** What clients wrote, as a part of one line. */
    private static String line(String text) {
        String kept = text.length() > MOST_CHARS ? text.substring(0, MOST_CHARS) : text;
        return kept.replaceAll("[\\p{Cntrl}\"]", " ");
    }
}
