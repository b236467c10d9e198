package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** Reads since when a publisher tries to send a record: the header {@code spillway-first-attempt}, in digits. */
final class FirstAttempt {
    /** The record does not say: it is sent for the first time. */
    static final long UNKNOWN = Long.MAX_VALUE;

    private static final byte[] NAME = "spillway-first-attempt".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_DIGITS = 18;

    private FirstAttempt() {}

    /** Ms since 1970; 0 when the header is there and no number; {@link #UNKNOWN} without the header. */
    static long ms(ByteBuf buffer, int headersAt, int headers) {
        int at = headersAt;
        for (int i = 0; i < headers; i++) {
            int nameBytes = buffer.getUnsignedByte(at);
            int valueAt = at + 1 + nameBytes + Short.BYTES;
            int valueBytes = buffer.getUnsignedShort(valueAt - Short.BYTES);
            if (nameBytes == NAME.length && isName(buffer, at + 1)) {
                return number(buffer, valueAt, valueBytes);
            }
            at = valueAt + valueBytes;
        }
        return UNKNOWN;
    }

    private static boolean isName(ByteBuf buffer, int at) {
        for (int i = 0; i < NAME.length; i++) {
            if (buffer.getByte(at + i) != NAME[i]) {
                return false;
            }
        }
        return true;
    }

    private static long number(ByteBuf buffer, int at, int bytes) {
        long number = 0;
        for (int i = 0; i < bytes; i++) {
            int digit = buffer.getByte(at + i) - '0';
            if (digit < 0 || digit > 9 || bytes > MAX_DIGITS) {
                return 0;
            }
            number = number * 10 + digit;
        }
        return number;
    }
}
