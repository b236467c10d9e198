package io.spillway.broker.diagnose;

import io.spillway.broker.diagnose.GroupFacts.Pause;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a topic's shard knows of why it does or does not take publishes.
 *
 * @param linked why clients may only read it, and what to do; null when they may do more
 * @param publishPause null when it is not paused
 * @param full the bound it has reached; null when it has room
 */
public record TopicFacts(
        String topic,
        @Nullable Linked linked,
        @Nullable Pause publishPause,
        @Nullable Full full,
        List<GroupFacts> groups) {
    /** A link fills it, or took it elsewhere. */
    public record Linked(String why, String next) {}

    /**
     * A bound of the backlog that is reached.
     *
     * @param bound the setting
     * @param group the slowest one; empty when it is what is stored
     */
    public record Full(String bound, long limit, long actual, String group) {}

    public TopicFacts {
        groups = List.copyOf(groups);
    }
}
