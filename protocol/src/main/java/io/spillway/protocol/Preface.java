package io.spillway.protocol;

import io.netty.buffer.ByteBuf;

/**
 * The first eight bytes each way. Their layout never changes, so that any client can read any broker's refusal.
 *
 * <pre>
 * client: 9B 'S' 'P' 0A | u8 min_version | u8 max_version | u16 0
 * server: 9B 'S' 'P' 0A | u8 chosen (0 = none) | u8 server_min | u8 server_max | u8 code
 * </pre>
 */
public final class Preface {
    public static final int BYTES = 8;
    public static final int MAGIC = 0x9B53500A;
    public static final int MIN_VERSION = 1;
    public static final int MAX_VERSION = 1;

    public static final int OK = 0;
    public static final int REFUSED_VERSION = 1;
    public static final int REFUSED_BUSY = 2;
    public static final int REFUSED_DRAINING = 3;

    private Preface() {}

    /** What a broker answers: {@code version} is 0 when it refuses, and {@code code} says why. */
    public record Answer(int version, int serverMin, int serverMax, int code) {}

    public static void writeClient(ByteBuf out) {
        out.writeInt(MAGIC).writeByte(MIN_VERSION).writeByte(MAX_VERSION).writeShort(0);
    }

    public static void writeServer(ByteBuf out, Answer answer) {
        out.writeInt(MAGIC)
                .writeByte(answer.version)
                .writeByte(answer.serverMin)
                .writeByte(answer.serverMax)
                .writeByte(answer.code);
    }

    /** Reads a client's preface and chooses a version. Throws MALFORMED_FRAME when it is not a preface. */
    public static Answer negotiate(ByteBuf in) {
        checkMagic(in);
        int clientMin = in.readUnsignedByte();
        int clientMax = in.readUnsignedByte();
        in.skipBytes(Short.BYTES);
        int version = choose(clientMin, clientMax, MIN_VERSION, MAX_VERSION);
        return new Answer(version, MIN_VERSION, MAX_VERSION, version == 0 ? REFUSED_VERSION : OK);
    }

    /** Reads a broker's answer. Throws MALFORMED_FRAME when it is not one. */
    public static Answer readServer(ByteBuf in) {
        checkMagic(in);
        return new Answer(in.readUnsignedByte(), in.readUnsignedByte(), in.readUnsignedByte(), in.readUnsignedByte());
    }

    /** The highest version both sides speak, or 0. */
    public static int choose(int clientMin, int clientMax, int serverMin, int serverMax) {
        int version = Math.min(clientMax, serverMax);
        return version >= Math.max(clientMin, serverMin) ? version : 0;
    }

    private static void checkMagic(ByteBuf in) {
        int magic = in.readInt();
        if (magic != MAGIC) {
            throw new ProtocolException(
                    Code.MALFORMED_FRAME,
                    "the first bytes are 0x%08x, not a Spillway preface; is this the right port?".formatted(magic));
        }
    }
}
