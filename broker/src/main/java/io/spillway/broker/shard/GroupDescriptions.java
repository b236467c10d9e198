package io.spillway.broker.shard;

import io.spillway.broker.dispatch.Member;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.MemberInfo;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Describes groups as they are now. Confined to the shard thread. */
final class GroupDescriptions {
    /** What a pause reason begins with when the group is not paused but its dead letters have to wait. */
    private static final String HELD = "DLQ_HELD: ";

    private final ShardState state;
    private final DeadLetters deadLetters;

    GroupDescriptions(ShardState state, DeadLetters deadLetters) {
        this.state = state;
        this.deadLetters = deadLetters;
    }

    /** @param name null = all groups of the topic */
    List<GroupInfo> of(TopicState topic, @Nullable String name) {
        if (name != null) {
            return List.of(of(GroupAdministration.group(topic, name)));
        }
        List<GroupInfo> infos = new ArrayList<>();
        topic.groups.values().forEach(group -> infos.add(of(group)));
        return infos;
    }

    GroupInfo of(Group group) {
        GroupInfo.Builder info = GroupInfo.newBuilder()
                .setTopic(group.topic.spec.name())
                .setGroup(group.name())
                .setMode(group.created.getMode())
                .setMembers(group.members.size())
                .setRevision(group.revision)
                .setMaxDeliveries(group.config().maxDeliveries())
                .setCreatedUnixMs(group.created.getCreatedMs())
                .putAllConfig(group.config().toMap())
                .setAcked(group.acked)
                .setDeadLettered(group.deadLettered);
        if (group.pause != null) {
            info.setPaused(true).setPauseReason(group.pause.getReason()).setPausedUnixMs(group.pause.getTimeMs());
        } else {
            String held = deadLetters.heldWhy(group);
            info.setPauseReason(held.isEmpty() ? "" : HELD + held);
        }
        group.ports.values().forEach(member -> info.addMemberList(of(group, member)));
        for (Group.Place place : group.places) {
            info.addPartitions(of(place));
        }
        return info.build();
    }

    private static MemberInfo of(Group group, GroupMember joined) {
        Member member = joined.member;
        return MemberInfo.newBuilder()
                .setMember(member.id())
                .setName(joined.name)
                .setActive(group.isActive(member))
                .setInFlight(member.unacked())
                .setPaused(joined.paused())
                .setLeaseMs(joined.leaseMs)
                .setState(joined.standing())
                .setWeightPm((int) member.health().weight())
                .setWhy(joined.why())
                .setRelieved(member.isRelieved() && !joined.standsBy)
                .build();
    }

    private GroupPartition of(Group.Place place) {
        long cursor = Math.max(place.state.cursor(), state.log.startOffset(place.partition.id));
        return GroupPartition.newBuilder()
                .setPartition(place.partition.index)
                .setCursor(cursor)
                .setAckedAbove(place.state.settledAbove())
                .setInFlight(place.state.inFlight())
                .setWaitingRetry(place.state.waitingRetry())
                .setScheduled(place.state.scheduled())
                .setKeyBlocked(place.state.keyBlocked())
                .setEndOffset(place.partition.visibleEnd)
                .setDropped(place.dropped)
                .setBacklog(Math.max(0, place.partition.visibleEnd - cursor - place.state.settledAbove()))
                .build();
    }
}
