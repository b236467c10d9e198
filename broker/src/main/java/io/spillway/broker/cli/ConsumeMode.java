package io.spillway.broker.cli;

import io.spillway.client.GroupMode;
import org.jspecify.annotations.Nullable;

/** The modes of a subscription, as the protocol has them. */
enum ConsumeMode {
    SHARED(GroupMode.SHARED),
    KEY_ORDERED(GroupMode.KEY_ORDERED),
    EXCLUSIVE(GroupMode.EXCLUSIVE),
    /** A reader of its own, without a group. */
    STREAM(null);

    private final @Nullable GroupMode group;

    ConsumeMode(@Nullable GroupMode group) {
        this.group = group;
    }

    /** That of the group; null for a reader. */
    @Nullable
    GroupMode group() {
        return group;
    }
}
