package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.diagnose.GroupFacts;
import io.spillway.broker.diagnose.GroupFacts.Pause;
import io.spillway.broker.diagnose.TopicFacts;
import io.spillway.broker.shard.ShardCommand.Looked;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Answers who only wants to know. Confined to the shard thread. */
final class Descriptions {
    private final ShardState state;
    private final TopicAdministration topics;
    private final GroupDescriptions groups;
    private final DispatchFacts facts;
    private final BacklogBounds backlogs;

    Descriptions(
            ShardState state,
            TopicAdministration topics,
            GroupDescriptions groups,
            DispatchFacts facts,
            BacklogBounds backlogs) {
        this.state = state;
        this.topics = topics;
        this.groups = groups;
        this.facts = facts;
        this.backlogs = backlogs;
    }

    void answer(ShardCommand.Describing command, long nowMs) {
        if (command instanceof ShardCommand.DescribeTopic describe) {
            describe.reply().ok(topics.describe(state.topic(describe.topicId())));
        } else if (command instanceof ShardCommand.DescribeGroups describe) {
            describe.reply().ok(groups.of(state.topic(describe.topicId()), describe.group()));
        } else if (command instanceof ShardCommand.Diagnose diagnose) {
            diagnose.reply().ok(look(diagnose.what(), nowMs));
        }
    }

    private List<TopicFacts> look(Looked what, long nowMs) {
        Collection<TopicState> all =
                what.topicId() == Looked.ALL ? state.topics.values() : List.of(state.topic(what.topicId()));
        if (!what.group().isEmpty()) {
            all.forEach(topic -> GroupAdministration.group(topic, what.group()));
        }
        List<TopicFacts> told = new ArrayList<>();
        int left = what.most();
        for (TopicState topic : all) {
            TopicFacts one = look(topic, what, left, nowMs);
            left -= one.groups().size();
            boolean takesNothing = one.linked() != null || one.publishPause() != null || one.full() != null;
            boolean isTold = what.member().isEmpty() && (!what.onlyWrong() || takesNothing);
            if (isTold || !one.groups().isEmpty()) {
                told.add(one);
            }
        }
        return told;
    }

    private TopicFacts look(TopicState topic, Looked what, int most, long nowMs) {
        List<GroupFacts> told = new ArrayList<>();
        for (Group group : topic.groups.values()) {
            add(told, group, what, most, nowMs);
            group.lanes.forEach(lane -> add(told, lane, what, most, nowMs));
        }
        TopicSpec spec = topic.spec;
        Pause pause = spec.switches().publishPaused()
                ? new Pause(spec.switches().reason(), spec.switches().changedMs())
                : null;
        return new TopicFacts(spec.name(), linked(spec), pause, backlogs.reached(topic, nowMs), told);
    }

    private static TopicFacts.@Nullable Linked linked(TopicSpec spec) {
        if (spec.standing().isOpen()) {
            return null;
        }
        SpillwayException refusal = spec.refusal();
        return new TopicFacts.Linked(refusal.why(), refusal.nextStep());
    }

    private void add(List<GroupFacts> told, Group group, Looked what, int most, long nowMs) {
        boolean isAsked = what.group().isEmpty()
                || group.name().equals(what.group())
                || (group.parent != null && group.parent.name().equals(what.group()));
        if (isAsked
                && told.size() < most
                && hasMember(group, what.member())
                && (!what.onlyWrong() || group.watched.cause.isWrong())) {
            told.add(facts.of(group, nowMs, true));
        }
    }

    private static boolean hasMember(Group group, String member) {
        return member.isEmpty()
                || group.ports.values().stream()
                        .anyMatch(each -> each.name.equals(member)
                                || Long.toString(each.member.id()).equals(member));
    }
}
