package io.spillway.client;

import io.spillway.protocol.v1.Start;
import java.time.Instant;

/** Where to begin reading, or where to set a group. */
public final class StartPosition {
    static final int GROUP = 0;
    static final int EARLIEST = 1;
    static final int LATEST = 2;
    static final int OFFSET = 3;
    static final int TIME = 4;

    private final Start wire;

    private StartPosition(Start.Builder wire) {
        this.wire = wire.build();
    }

    /** The oldest record there is. */
    public static StartPosition earliest() {
        return new StartPosition(Start.newBuilder().setKind(EARLIEST));
    }

    /** After the newest record there is. */
    public static StartPosition latest() {
        return new StartPosition(Start.newBuilder().setKind(LATEST));
    }

    /** That record of that partition. As the start of a reader, it reads no other partition. */
    public static StartPosition offset(int partition, long offset) {
        Arguments.between("partition", partition, 0, Integer.MAX_VALUE);
        Arguments.between("offset", offset, 0, Long.MAX_VALUE);
        return new StartPosition(
                Start.newBuilder().setKind(OFFSET).setPartition(partition).setOffset(offset));
    }

    /** In every partition the first record appended at that time or later. */
    public static StartPosition time(Instant time) {
        Arguments.between("time", time.toEpochMilli(), 0, Long.MAX_VALUE);
        return new StartPosition(Start.newBuilder().setKind(TIME).setUnixMs(time.toEpochMilli()));
    }

    /** Where the group is; a new group begins at the earliest record. */
    public static StartPosition group() {
        return new StartPosition(Start.newBuilder().setKind(GROUP));
    }

    int kind() {
        return wire.getKind();
    }

    int partition() {
        return wire.getPartition();
    }

    Start wire() {
        return wire;
    }

    @Override
    public String toString() {
        return switch (wire.getKind()) {
            case EARLIEST -> "earliest";
            case LATEST -> "latest";
            case OFFSET -> "offset:" + wire.getPartition() + ":" + wire.getOffset();
            case TIME -> "time:" + Instant.ofEpochMilli(wire.getUnixMs());
            default -> "group";
        };
    }
}
