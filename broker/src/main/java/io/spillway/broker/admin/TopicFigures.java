package io.spillway.broker.admin;

import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.session.Census;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.PartitionInfo;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a topic stands, and how fast it moves since it was looked at last. Confined to the admin thread. */
final class TopicFigures {
    private static final double NS_PER_SECOND = 1e9;
    private static final List<String> NAMES = List.of("published", "acked", "backlog", "in_flight");

    /** The last hour; null when more topics than are remembered came before. */
    final @Nullable Series series;

    private Census.Topic topic;
    private long seenNs;
    private double publishedRate;
    private double ackedRate;

    TopicFigures(Census.Topic topic, long nowNs, int points) {
        this.topic = topic;
        seenNs = nowNs;
        series = points == 0 ? null : new Series(NAMES, points);
    }

    void see(Census.Topic now, long nowNs) {
        double seconds = Math.max(1, nowNs - seenNs) / NS_PER_SECOND;
        boolean isSame = now.spec().topicId() == topic.spec().topicId();
        publishedRate = isSame ? Math.max(0, (published(now) - published(topic)) / seconds) : 0;
        ackedRate = isSame ? Math.max(0, (acked(now) - acked(topic)) / seconds) : 0;
        topic = now;
        seenNs = nowNs;
    }

    void remember() {
        if (series != null) {
            series.add(publishedRate, ackedRate, backlog(), inFlight());
        }
    }

    Census.Topic topic() {
        return topic;
    }

    TopicSpec spec() {
        return topic.spec();
    }

    double publishedRate() {
        return publishedRate;
    }

    double ackedRate() {
        return ackedRate;
    }

    /** What all groups together have not settled. */
    long backlog() {
        return topic.groups().stream().mapToLong(TopicFigures::backlog).sum();
    }

    long inFlight() {
        return topic.groups().stream().mapToLong(TopicFigures::inFlight).sum();
    }

    long bytes() {
        return topic.partitions().stream().mapToLong(PartitionInfo::getBytes).sum();
    }

    /** Records that are kept. */
    long records() {
        return topic.partitions().stream()
                .mapToLong(partition -> partition.getEndOffset() - partition.getStartOffset())
                .sum();
    }

    int members() {
        return topic.groups().stream().mapToInt(GroupInfo::getMembers).sum();
    }

    int groups() {
        return topic.groups().size();
    }

    boolean isSwitched() {
        return spec().switches().publishPaused() || spec().switches().dispatchPaused();
    }

    static long backlog(GroupInfo group) {
        return group.getPartitionsList().stream()
                .mapToLong(GroupPartition::getBacklog)
                .sum();
    }

    static long inFlight(GroupInfo group) {
        return group.getPartitionsList().stream()
                .mapToLong(GroupPartition::getInFlight)
                .sum();
    }

    private static long published(Census.Topic topic) {
        return topic.partitions().stream()
                .mapToLong(PartitionInfo::getEndOffset)
                .sum();
    }

    private static long acked(Census.Topic topic) {
        return topic.groups().stream().mapToLong(GroupInfo::getAcked).sum();
    }
}
