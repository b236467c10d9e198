package io.spillway.client;

/** What a record has survived once it is acked. Each level includes those before it. */
public enum Durability {
    /** What the topic is configured for. Only asked for, never reached. */
    DEFAULT(io.spillway.protocol.v1.Durability.DUR_DEFAULT),
    /** In the broker's memory-mapped log: survives the death of the broker's process, not of its machine. */
    MAPPED(io.spillway.protocol.v1.Durability.DUR_MAPPED),
    /** On the broker's disk: survives a power failure. */
    SYNCED(io.spillway.protocol.v1.Durability.DUR_SYNCED),
    /** On the disks of a majority of brokers. */
    QUORUM(io.spillway.protocol.v1.Durability.DUR_QUORUM);

    private final io.spillway.protocol.v1.Durability wire;

    Durability(io.spillway.protocol.v1.Durability wire) {
        this.wire = wire;
    }

    io.spillway.protocol.v1.Durability wire() {
        return wire;
    }

    /** The level of this API that a level of the wire is sure to reach. */
    static Durability of(io.spillway.protocol.v1.Durability wire) {
        return switch (wire) {
            case DUR_MAPPED, DUR_QUORUM_MAPPED -> MAPPED;
            case DUR_SYNCED -> SYNCED;
            case DUR_QUORUM -> QUORUM;
            case DUR_DEFAULT, DUR_NONE, DUR_LOCAL_SPILLED, UNRECOGNIZED -> DEFAULT;
        };
    }
}
