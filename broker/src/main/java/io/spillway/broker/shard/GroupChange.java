package io.spillway.broker.shard;

import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupSnapshot;
import io.spillway.protocol.v1.Start;
import java.util.List;
import java.util.Map;

/** What an operator can do with a group. */
public sealed interface GroupChange {

    /** @param settings those that are not the default */
    record Create(int mode, Start start, Map<String, String> settings) implements GroupChange {}

    record Alter(Map<String, String> settings) implements GroupChange {}

    record Pause() implements GroupChange {}

    record Resume() implements GroupChange {}

    /** Keeps what the group has settled under a name. */
    record TakeSnapshot(String name) implements GroupChange {}

    /** Makes the group what its snapshot holds. */
    record Restore(String name) implements GroupChange {}

    record ListSnapshots() implements GroupChange {}

    record DeleteSnapshot(String name) implements GroupChange {}

    /** @param snapshots those the change speaks of, or all of the group when they were asked for */
    record Done(GroupInfo group, List<GroupSnapshot> snapshots) {}
}
