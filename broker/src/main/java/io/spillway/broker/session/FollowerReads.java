package io.spillway.broker.session;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.Subscribe;

/** What a node that follows does for connections that only read. */
final class FollowerReads {
    static final int MODE_STREAM = 3;
    private static final int LIST_GROUPS = 1;
    private static final int DESCRIBE_GROUP = 2;
    private static final int AGAIN_MS = 100;

    private FollowerReads() {}

    /** Whether it does that; else the leader does. */
    static boolean allow(FrameKind kind, Frame frame) {
        return switch (kind) {
            case SUBSCRIBE -> frame.header(Subscribe.parser()).getMode() == MODE_STREAM;
            case GROUP_ADMIN -> {
                int operation = frame.header(GroupAdmin.parser()).getOp();
                yield operation == LIST_GROUPS || operation == DESCRIBE_GROUP;
            }
            case PING, BYE, CREDIT_GRANT, UNSUBSCRIBE, METADATA, HEALTH_CHECK -> true;
            case HEALTH_REPORT, HANDOFF, TOGGLE_UPDATE, GO_AWAY, BACKPRESSURE, DELIVER -> true;
            default -> false;
        };
    }

    /** A reader that a change of the leader has ended may begin again where it is. */
    static SpillwayException stay(SpillwayException why) {
        return why.code() != Code.NOT_LEADER
                ? why
                : new SpillwayException(
                        Code.LEADER_ELECTION,
                        "the reader was ended",
                        "the leader changed, and this node takes up what was agreed on",
                        "subscribe again in a moment, here or at another node",
                        AGAIN_MS,
                        why);
    }
}
