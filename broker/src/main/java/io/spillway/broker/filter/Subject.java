package io.spillway.broker.filter;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.spillway.protocol.RecordView;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The record a filter looks at. What it says of itself lies in slots: the key in slot 0, then the headers whose names the
 * filter has, each found in one pass over the record's headers; of a name that comes twice the first.
 */
final class Subject {
    static final int KEY_SLOT = 0;
    private static final int MISSING = -1;
    private static final int MAX_DIGITS = 19;

    /** By slot; the key has none. */
    private final byte[][] names;

    private final int[] valuesAt;
    private final int[] valueBytes;
    private ByteBuf buffer = Unpooled.EMPTY_BUFFER;
    private int partition;
    private long offset;
    private long appendTimeMs;
    private long integer;

    /** @param headerNames of the slots from 1 on */
    Subject(List<String> headerNames) {
        names = new byte[headerNames.size() + 1][];
        names[KEY_SLOT] = new byte[0];
        for (int i = 0; i < headerNames.size(); i++) {
            names[i + 1] = headerNames.get(i).getBytes(StandardCharsets.UTF_8);
        }
        valuesAt = new int[names.length];
        valueBytes = new int[names.length];
    }

    void look(RecordView record, int ofPartition, long atOffset, long appendedMs) {
        buffer = record.buffer();
        partition = ofPartition;
        offset = atOffset;
        appendTimeMs = appendedMs;
        Arrays.fill(valueBytes, MISSING);
        valuesAt[KEY_SLOT] = record.keyAt();
        valueBytes[KEY_SLOT] = record.hasKey() ? record.keyBytes() : MISSING;
        int wanted = names.length - 1;
        int at = record.headersAt();
        for (int headers = record.headerCount(); headers > 0 && wanted > 0; headers--) {
            int nameBytes = buffer.getUnsignedByte(at);
            int slot = slot(at + 1, nameBytes);
            at += 1 + nameBytes;
            int bytes = buffer.getUnsignedShort(at);
            at += Short.BYTES;
            if (slot != MISSING) {
                valuesAt[slot] = at;
                valueBytes[slot] = bytes;
                wanted--;
            }
            at += bytes;
        }
    }

    /** The slot of a header that was not found yet. */
    private int slot(int nameAt, int nameBytes) {
        for (int slot = KEY_SLOT + 1; slot < names.length; slot++) {
            byte[] name = names[slot];
            if (name.length == nameBytes && valueBytes[slot] == MISSING && equal(name, nameAt)) {
                return slot;
            }
        }
        return MISSING;
    }

    /** Whether the value of the slot, which is long enough, begins with the text. */
    boolean hasAt(int slot, byte[] text) {
        return equal(text, valuesAt[slot]);
    }

    private boolean equal(byte[] text, int at) {
        for (int i = 0; i < text.length; i++) {
            if (buffer.getByte(at + i) != text[i]) {
                return false;
            }
        }
        return true;
    }

    /** Bytes of the value, -1 when there is none. */
    int bytes(int slot) {
        return valueBytes[slot];
    }

    byte byteAt(int slot, int index) {
        return buffer.getByte(valuesAt[slot] + index);
    }

    /** Reads the value as an integer of 64 bits, which {@link #integer} then gives; false when it is none. */
    boolean readInteger(int slot) {
        int bytes = valueBytes[slot];
        boolean negative = bytes > 0 && byteAt(slot, 0) == '-';
        int first = negative ? 1 : 0;
        if (bytes <= first || bytes - first > MAX_DIGITS) {
            return false;
        }
        long value = 0; // below zero, where there is one number more
        for (int i = first; i < bytes; i++) {
            int digit = byteAt(slot, i) - '0';
            if (digit < 0 || digit > 9 || value < (Long.MIN_VALUE + digit) / 10) {
                return false;
            }
            value = value * 10 - digit;
        }
        if (!negative && value == Long.MIN_VALUE) {
            return false;
        }
        integer = negative ? value : -value;
        return true;
    }

    long integer() {
        return integer;
    }

    int partition() {
        return partition;
    }

    long offset() {
        return offset;
    }

    long appendTimeMs() {
        return appendTimeMs;
    }
}
