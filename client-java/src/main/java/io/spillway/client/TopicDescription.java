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
 */
public record TopicDescription(
        String name, Map<String, String> config, long revision, long createdMs, List<Partition> partitions) {

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
