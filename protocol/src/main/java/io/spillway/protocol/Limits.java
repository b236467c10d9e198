package io.spillway.protocol;

/** Limits of protocol v1, in bytes or counts (docs/protocol.md, Limits). A peer may negotiate down, never up. */
public final class Limits {
    public static final int MAX_BATCH_BYTES = 1 << 20;
    public static final int MAX_RECORD_BYTES = (1 << 20) - RecordBatch.HEADER_BYTES - RecordBatch.INDEX_ENTRY_BYTES;
    public static final int MAX_BATCH_RECORDS = 4096;
    public static final int MAX_KEY_BYTES = 1024;
    public static final int MAX_DEDUP_ID_BYTES = 255;
    public static final int MAX_HEADERS = 64;
    public static final int MAX_BODY_UNCOMPRESSED_BYTES = 8 << 20;
    public static final int MAX_COMPRESSION_RATIO = 32;
    /** The header of a frame that a client sends. */
    public static final int MAX_CLIENT_HEADER_BYTES = 64 << 10;

    /** The header of a frame that a broker sends, which may name each record of a batch. */
    public static final int MAX_BROKER_HEADER_BYTES = 1 << 20;

    /** A frame before the session is open. */
    public static final int MAX_FRAME_BEFORE_HELLO_BYTES = 16 << 10;

    public static final int MAX_PUBLISHERS_PER_CONNECTION = 256;
    public static final int MAX_SUBSCRIPTIONS_PER_CONNECTION = 256;

    private Limits() {}
}
