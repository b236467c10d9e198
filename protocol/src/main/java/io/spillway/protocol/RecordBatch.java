package io.spillway.protocol;

import io.netty.buffer.ByteBuf;

/**
 * Reads and stamps a record batch in place: the unit of the socket, the log and the socket again.
 *
 * <pre>
 *  0 u64 base_offset      \
 *  8 u32 length (after it) |  written by the broker, not in the CRC
 * 12 u32 leader_epoch      |
 * 16 u64 append_time_ms    |
 * 24 u8  magic=1           |
 * 25 u8  broker_flags      |
 * 26 u16 0                /
 * 28 u32 crc32c over bytes 32..end
 * 32 u16 attributes        bits 0-2 codec (0 none), 3 control, 4 encrypted
 * 34 u16 producer_epoch
 * 36 u32 record_count
 * 40 u64 producer_id       (0 = not idempotent)
 * 48 u64 base_sequence     per record: base + i
 * 56 u64 first_timestamp_ms
 * 64 u32 max_ts_delta_ms
 * 68 u32 body_uncompressed_len
 * 72 index: record_count x { u32 record_len, u32 key_hash }
 * .. body: records
 * </pre>
 *
 * All methods take the buffer and the index of the batch's first byte; nothing is copied or allocated. The accessors
 * trust the bytes: call {@link #validate} first on anything that came from outside.
 */
public final class RecordBatch {
    public static final int HEADER_BYTES = 72;
    public static final int INDEX_ENTRY_BYTES = 8;
    public static final int MAGIC = 1;
    /** Bytes before the part that the CRC covers. */
    public static final int CRC_START = 32;
    /** The part of the batch the broker writes. */
    public static final int STAMPED_BYTES = 28;

    public static final int CODEC_MASK = 7;

    /** Broker flag: a record of the batch has deliver_at or expires_at. */
    public static final int TIMED = 1;
    /** Broker flag: a record of the batch has a trace that its publisher samples. */
    public static final int TRACED = 2;

    private static final int LENGTH = 8;
    private static final int LEADER_EPOCH = 12;
    private static final int APPEND_TIME = 16;
    private static final int MAGIC_AT = 24;
    private static final int BROKER_FLAGS = 25;
    private static final int CRC = 28;
    private static final int ATTRIBUTES = 32;
    private static final int PRODUCER_EPOCH = 34;
    private static final int RECORD_COUNT = 36;
    private static final int PRODUCER_ID = 40;
    private static final int BASE_SEQUENCE = 48;
    private static final int FIRST_TIMESTAMP = 56;
    private static final int BODY_LENGTH = 68;
    private static final int LENGTH_END = LENGTH + Integer.BYTES;

    private RecordBatch() {}

    public static long baseOffset(ByteBuf buffer, int at) {
        return buffer.getLong(at);
    }

    /** Bytes of the whole batch, header included. */
    public static int totalBytes(ByteBuf buffer, int at) {
        return LENGTH_END + buffer.getInt(at + LENGTH);
    }

    public static int leaderEpoch(ByteBuf buffer, int at) {
        return buffer.getInt(at + LEADER_EPOCH);
    }

    public static long appendTimeMs(ByteBuf buffer, int at) {
        return buffer.getLong(at + APPEND_TIME);
    }

    /** What the broker found out about the records when it took the batch: {@link #TIMED}, {@link #TRACED}. */
    public static int brokerFlags(ByteBuf buffer, int at) {
        return buffer.getUnsignedByte(at + BROKER_FLAGS);
    }

    /** Writes the broker's flags over whatever a producer left there; the CRC stays right. */
    public static void brokerFlags(ByteBuf buffer, int at, int flags) {
        buffer.setByte(at + BROKER_FLAGS, flags);
    }

    public static int crc(ByteBuf buffer, int at) {
        return buffer.getInt(at + CRC);
    }

    public static int attributes(ByteBuf buffer, int at) {
        return buffer.getUnsignedShort(at + ATTRIBUTES);
    }

    public static int codec(ByteBuf buffer, int at) {
        return attributes(buffer, at) & CODEC_MASK;
    }

    public static int producerEpoch(ByteBuf buffer, int at) {
        return buffer.getUnsignedShort(at + PRODUCER_EPOCH);
    }

    public static int recordCount(ByteBuf buffer, int at) {
        return buffer.getInt(at + RECORD_COUNT);
    }

    public static long producerId(ByteBuf buffer, int at) {
        return buffer.getLong(at + PRODUCER_ID);
    }

    public static long baseSequence(ByteBuf buffer, int at) {
        return buffer.getLong(at + BASE_SEQUENCE);
    }

    public static long firstTimestampMs(ByteBuf buffer, int at) {
        return buffer.getLong(at + FIRST_TIMESTAMP);
    }

    public static int bodyUncompressedBytes(ByteBuf buffer, int at) {
        return buffer.getInt(at + BODY_LENGTH);
    }

    public static int recordBytes(ByteBuf buffer, int at, int record) {
        return buffer.getInt(at + HEADER_BYTES + record * INDEX_ENTRY_BYTES);
    }

    public static int keyHash(ByteBuf buffer, int at, int record) {
        return buffer.getInt(at + HEADER_BYTES + record * INDEX_ENTRY_BYTES + Integer.BYTES);
    }

    /** Index of the first byte of the body. */
    public static int bodyStart(ByteBuf buffer, int at) {
        return at + HEADER_BYTES + recordCount(buffer, at) * INDEX_ENTRY_BYTES;
    }

    /** Writes what the broker knows when it appends, the flags apart ({@link #brokerFlags}); the CRC stays right. */
    public static void stamp(ByteBuf buffer, int at, long baseOffset, int leaderEpoch, long appendTimeMs) {
        buffer.setLong(at, baseOffset);
        buffer.setInt(at + LEADER_EPOCH, leaderEpoch);
        buffer.setLong(at + APPEND_TIME, appendTimeMs);
        buffer.setByte(at + MAGIC_AT, MAGIC);
        buffer.setShort(at + MAGIC_AT + 2, 0);
    }

    /**
     * Checks structure, limits and CRC of the batch that starts at {@code at} and must end within {@code available}
     * bytes. Returns its size in bytes. Throws {@link ProtocolException} MALFORMED_FRAME, TOO_LARGE, INVALID_ARGUMENT
     * or CHECKSUM_MISMATCH; reads nothing outside the available bytes.
     */
    public static int validate(ByteBuf buffer, int at, int available, int maxBatchBytes) {
        if (available < HEADER_BYTES) {
            throw malformed("a batch has " + available + " bytes, its header alone has " + HEADER_BYTES);
        }
        long length = buffer.getUnsignedInt(at + LENGTH) + LENGTH_END;
        if (length > maxBatchBytes) {
            throw new ProtocolException(
                    Code.TOO_LARGE, "a batch of " + length + " bytes is over the limit of " + maxBatchBytes);
        }
        if (length > available || length < HEADER_BYTES) {
            throw malformed("a batch says it has " + length + " bytes, its frame carries " + available);
        }
        int total = (int) length;
        int magic = buffer.getUnsignedByte(at + MAGIC_AT);
        if (magic != MAGIC) {
            throw malformed("a batch has magic " + magic + ", this broker knows " + MAGIC);
        }
        if (Crc.crc32c(buffer, at + CRC_START, total - CRC_START) != crc(buffer, at)) {
            throw new ProtocolException(Code.CHECKSUM_MISMATCH, "the CRC32C of a batch does not match its bytes");
        }
        validateIndex(buffer, at, total);
        return total;
    }

    /** How many bytes a batch says it has, without any check of them; 0 when that cannot be. */
    public static int claimedBytes(ByteBuf buffer, int at, int available) {
        if (available < HEADER_BYTES) {
            return 0;
        }
        long length = buffer.getUnsignedInt(at + LENGTH) + LENGTH_END;
        return length < HEADER_BYTES || length > available ? 0 : (int) length;
    }

    private static void validateIndex(ByteBuf buffer, int at, int total) {
        long count = buffer.getUnsignedInt(at + RECORD_COUNT);
        if (count < 1) {
            throw malformed("a batch holds no record");
        }
        if (count > Limits.MAX_BATCH_RECORDS) {
            throw new ProtocolException(
                    Code.TOO_LARGE,
                    "a batch of " + count + " records is over the limit of " + Limits.MAX_BATCH_RECORDS);
        }
        long bodyBytes = total - HEADER_BYTES - count * INDEX_ENTRY_BYTES;
        if (bodyBytes < 0) {
            throw malformed("the index of a batch of " + count + " records does not fit its " + total + " bytes");
        }
        if ((producerId(buffer, at) | baseSequence(buffer, at) | firstTimestampMs(buffer, at)) < 0) {
            throw malformed("a batch has a producer id, sequence or timestamp beyond 2^63");
        }
        long uncompressed = buffer.getUnsignedInt(at + BODY_LENGTH);
        if (uncompressed > Limits.MAX_BODY_UNCOMPRESSED_BYTES
                || (codec(buffer, at) != 0 && uncompressed > bodyBytes * Limits.MAX_COMPRESSION_RATIO)) {
            throw new ProtocolException(Code.TOO_LARGE, "a batch says it unpacks to " + uncompressed + " bytes");
        }
        long sum = 0;
        for (int i = 0; i < count; i++) {
            long bytes = recordBytes(buffer, at, i) & 0xffffffffL;
            if (bytes < RecordView.FIXED_BYTES) {
                throw malformed("record " + i + " of a batch has " + bytes + " bytes, the least is 8");
            }
            sum += bytes;
        }
        if (sum != uncompressed || (codec(buffer, at) == 0 && sum != bodyBytes)) {
            throw malformed("the records of a batch add up to " + sum + " bytes, its body has " + uncompressed);
        }
    }

    private static ProtocolException malformed(String message) {
        return new ProtocolException(Code.MALFORMED_FRAME, message);
    }
}
