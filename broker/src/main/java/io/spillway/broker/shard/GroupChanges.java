package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.records.GroupPaused;
import io.spillway.broker.records.StateRecord;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.GroupSnapshot;
import java.util.List;

/** What an operator does to a group: create, alter, pause, resume, and its snapshots. Confined to the shard thread. */
final class GroupChanges {
    /** What the reason of a pause begins with when an operator asked for it. */
    static final String ADMIN = "ADMIN";

    private static final int MAX_REASON_CHARS = 1_000;

    private final ShardState state;
    private final Journal journal;
    private final GroupAdministration groups;
    private final GroupSnapshots snapshots;
    private final GroupDescriptions descriptions;

    GroupChanges(
            ShardState state,
            Journal journal,
            GroupAdministration groups,
            GroupSnapshots snapshots,
            GroupDescriptions descriptions) {
        this.state = state;
        this.journal = journal;
        this.groups = groups;
        this.snapshots = snapshots;
        this.descriptions = descriptions;
    }

    /** Answers when the change is synced. */
    void change(ShardCommand.ChangeGroup command, long nowMs) {
        TopicState topic = state.topic(command.topicId());
        requireShort("reason", command.reason());
        if (command.change() instanceof GroupChange.Create create) {
            create(topic, command.group(), create, nowMs);
            answer(command, List.of());
            return;
        }
        Group group = GroupAdministration.group(topic, command.group());
        if (!isRepeated(group, command)) {
            GroupAdministration.requireRevision(group, command.expectRevision());
        }
        answer(command, change(group, command, nowMs));
    }

    /** Whether it asks again for an alteration that was done, because the answer was lost. */
    private static boolean isRepeated(Group group, ShardCommand.ChangeGroup command) {
        return command.change() instanceof GroupChange.Alter alter
                && GroupAdministration.alteredAlready(group, alter.settings(), command.expectRevision());
    }

    private List<GroupSnapshot> change(Group group, ShardCommand.ChangeGroup command, long nowMs) {
        GroupChange change = command.change();
        if (change instanceof GroupChange.Alter alter) {
            groups.alter(group, alter.settings());
        } else if (change instanceof GroupChange.Pause) {
            String reason = command.reason();
            pause(group, true, reason.isEmpty() ? ADMIN : ADMIN + ": " + reason, nowMs);
        } else if (change instanceof GroupChange.Resume) {
            pause(group, false, command.reason(), nowMs);
        } else if (change instanceof GroupChange.TakeSnapshot take) {
            return List.of(snapshots.take(group, take.name(), command.reason(), nowMs));
        } else if (change instanceof GroupChange.Restore restore) {
            return List.of(snapshots.restore(group, restore.name(), command.reason()));
        } else if (change instanceof GroupChange.ListSnapshots) {
            return snapshots.list(group);
        } else if (change instanceof GroupChange.DeleteSnapshot delete) {
            return List.of(snapshots.delete(group, delete.name()));
        }
        return List.of();
    }

    private void create(TopicState topic, String name, GroupChange.Create create, long nowMs) {
        TopicNames.check("group", name);
        requireKnownMode(create.mode());
        Group known = topic.groups.get(name);
        if (known == null) {
            groups.commit(groups.created(topic, name, create.mode(), create.start(), create.settings(), nowMs));
        } else if (known.created.getMode() != create.mode()
                || !known.config().equals(groups.newConfig(create.settings()))) {
            throw new SpillwayException(
                    Code.ALREADY_EXISTS,
                    "there is a group \"" + name + "\" on topic " + topic.spec.name() + " already",
                    "in mode " + known.created.getMode() + " with "
                            + known.config().toMap(),
                    "choose another name, or alter it: spillway group alter " + topic.spec.name() + " " + name);
        }
    }

    private static void requireKnownMode(int mode) {
        if (mode < 0 || mode > 2) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "a group cannot have mode " + mode,
                    "allowed: 0 SHARED, 1 KEY_ORDERED, 2 EXCLUSIVE",
                    "give an allowed mode; a reader in mode STREAM has no group");
        }
    }

    /** Pausing what is paused keeps its first reason. */
    private void pause(Group group, boolean paused, String reason, long nowMs) {
        if (group.paused() != paused) {
            journal.commit(List.of(paused(group, paused, reason, nowMs)));
        }
    }

    /** The record that pauses or resumes a group. */
    static StateRecord paused(Group group, boolean paused, String reason, long nowMs) {
        return StateRecord.newBuilder()
                .setGroupPaused(GroupPaused.newBuilder()
                        .setGroupId(group.id)
                        .setPaused(paused)
                        .setReason(reason)
                        .setTimeMs(nowMs))
                .build();
    }

    static void requireShort(String what, String text) {
        if (text.length() > MAX_REASON_CHARS) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the " + what + " has " + text.length() + " characters",
                    "allowed: up to " + MAX_REASON_CHARS,
                    "give a shorter one");
        }
    }

    private void answer(ShardCommand.ChangeGroup command, List<GroupSnapshot> about) {
        Group group = GroupAdministration.group(state.topic(command.topicId()), command.group());
        GroupChange.Done done = new GroupChange.Done(descriptions.of(group), about);
        journal.whenDurable(journal.lastSequence(), new ReplyWhenDurable<>(done, command.reply()));
    }
}
