package io.spillway.broker.session;

import io.netty.buffer.ByteBufUtil;
import io.spillway.protocol.RecordView;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One record, copied out of its batch.
 *
 * @param appendMs when the broker took it, in ms since 1970
 * @param timestampMs when it was made, as its producer says
 * @param deliverAtMs -1 = at once
 * @param expiresAtMs -1 = never
 * @param malformed why its parts cannot be read; else empty
 */
public record HouseRecord(
        long offset,
        long appendMs,
        long timestampMs,
        byte @Nullable [] key,
        byte[] value,
        List<Header> headers,
        byte @Nullable [] dedupId,
        byte @Nullable [] trace,
        long deliverAtMs,
        long expiresAtMs,
        String malformed) {
    public record Header(String name, byte[] value) {}

    static HouseRecord of(long offset, long appendMs, RecordView view) {
        List<Header> headers = new ArrayList<>();
        view.headers(
                (name, buffer, at, bytes) -> headers.add(new Header(name, ByteBufUtil.getBytes(buffer, at, bytes))));
        return new HouseRecord(
                offset,
                appendMs,
                view.timestampMs(),
                view.key(),
                view.value(),
                headers,
                view.dedupId(),
                view.trace(),
                view.deliverAtMs(),
                view.expiresAtMs(),
                "");
    }

    static HouseRecord malformed(long offset, long appendMs, RecordView view, String why) {
        return new HouseRecord(
                offset, appendMs, view.timestampMs(), null, new byte[0], List.of(), null, null, -1, -1, why);
    }
}
