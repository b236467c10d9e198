package io.spillway.broker.replication;

import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.apache.ratis.protocol.RaftGroupId;

/**
 * Tells clusters apart, also those of one name. The first half is made of the name, the second is drawn when the cluster is
 * formed; nodes that join learn it, and keep it as the name of a directory. A cluster of before there was this has all of
 * it made of the name.
 */
public record ClusterId(UUID value) {
    /** That of a new cluster. */
    static ClusterId drawn(String name) {
        return new ClusterId(new UUID(
                ofName(name).value.getMostSignificantBits(), UUID.randomUUID().getLeastSignificantBits()));
    }

    static ClusterId ofName(String name) {
        return new ClusterId(UUID.nameUUIDFromBytes(("spillway cluster " + name).getBytes(StandardCharsets.UTF_8)));
    }

    static ClusterId of(RaftGroupId group) {
        return new ClusterId(group.getUuid());
    }

    /** Throws IllegalArgumentException when it is none. */
    public static ClusterId parse(String text) {
        return new ClusterId(UUID.fromString(text));
    }

    boolean isNamed(String name) {
        return value.getMostSignificantBits() == ofName(name).value.getMostSignificantBits();
    }

    RaftGroupId group() {
        return RaftGroupId.valueOf(value);
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
