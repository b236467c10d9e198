package io.spillway.client;

import java.util.List;
import java.util.Map;

/**
 * A topic as it is.
 *
 * @param config all settings in effect
 * @param revision changes with every alteration
 * @param createdMs ms since 1970
 * @param partitions in order, from 0
 * @param life whose it is
 * @param switches what an operator has switched at it
 */
public record TopicDescription(
        String name,
        Map<String, String> config,
        long revision,
        long createdMs,
        List<Partition> partitions,
        Life life,
        Switches switches) {

    /** A topic at which nothing is switched. */
    public TopicDescription(
            String name,
            Map<String, String> config,
            long revision,
            long createdMs,
            List<Partition> partitions,
            Life life) {
        this(name, config, revision, createdMs, partitions, life, Switches.UNTOUCHED);
    }

    /**
     * Where a topic lives, when links between clusters are about it.
     *
     * @param epoch grows each time another cluster takes the topic over; 0 = none ever did
     * @param mirroredBy the link whose copy this is, which takes nothing else; empty = it is none
     * @param fencedBy the link that took the topic to another cluster, which takes nothing here any more; empty = none did
     */
    public record Life(long epoch, String mirroredBy, String fencedBy) {}

    /**
     * What an operator has switched.
     *
     * @param publishPaused what is published is refused with THROTTLED until it is resumed
     * @param dispatchPaused consumers get nothing until it is resumed
     * @param shedClass the least class that publishes to it have; 0 = their own
     * @param reason of the last change
     * @param changedMs ms since 1970; 0 = never
     */
    public record Switches(
            boolean publishPaused, boolean dispatchPaused, int shedClass, String reason, long changedMs) {
        static final Switches UNTOUCHED = new Switches(false, false, 0, "", 0);
    }

    /**
     * A partition as it is.
     *
     * @param startOffset of the oldest record there is
     * @param endOffset of the next record
     * @param visibleOffset consumers see what is below
     * @param bytes on disk
     * @param corruptBatches found damaged, never served
     */
    public record Partition(
            int partition, long startOffset, long endOffset, long visibleOffset, long bytes, long corruptBatches) {}

    /** Records in all partitions. */
    public long records() {
        return partitions.stream().mapToLong(p -> p.endOffset - p.startOffset).sum();
    }
}
