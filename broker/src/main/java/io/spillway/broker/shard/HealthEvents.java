package io.spillway.broker.shard;

import io.spillway.broker.dispatch.Member;
import io.spillway.broker.records.GroupCreated;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says what becomes of the members of a group: one event for each change. Confined to the shard thread. */
final class HealthEvents {
    private static final Logger LOG = LoggerFactory.getLogger(HealthEvents.class);

    private final TopicState topic;
    private final GroupCreated group;

    HealthEvents(TopicState topic, GroupCreated group) {
        this.topic = topic;
        this.group = group;
    }

    void changed(Member member, String what, String why, String next) {
        LOG.warn(
                "event=consumer_health topic={} group={} member={} what=\"{}\" why=\"{}\" next=\"{}\"",
                topic.spec.name(),
                group.getName(),
                member.id(),
                what,
                why,
                next);
    }
}
