package io.spillway.protocol;

import org.jspecify.annotations.Nullable;

/** What a frame carries. The numbers are fixed for ever; see docs/protocol.md. */
public enum FrameKind {
    HELLO(0x01),
    PING(0x02),
    AUTH(0x03),
    GO_AWAY(0x04),
    BYE(0x05),
    BACKPRESSURE(0x06),
    HEALTH_REPORT(0x07),
    TOGGLE_UPDATE(0x08),
    PUBLISH(0x10),
    OPEN_PUBLISHER(0x11),
    CLOSE_PUBLISHER(0x12),
    DELIVER(0x20),
    SUBSCRIBE(0x21),
    CREDIT_GRANT(0x22),
    ACK(0x23),
    HANDOFF(0x24),
    SEEK(0x25),
    UNSUBSCRIBE(0x26),
    METADATA(0x30),
    TOPIC_ADMIN(0x31),
    GROUP_ADMIN(0x32),
    TOGGLE_ADMIN(0x33),
    HEALTH_CHECK(0x34),
    REPLAY_ADMIN(0x35),
    LINK(0x36);

    private static final @Nullable FrameKind[] BY_CODE = new FrameKind[256];

    static {
        for (FrameKind kind : values()) {
            BY_CODE[kind.code] = kind;
        }
    }

    private final int code;

    FrameKind(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The kind with this code, or null for one that this version does not know. */
    public static @Nullable FrameKind of(int code) {
        return BY_CODE[code & 0xff];
    }
}
