package io.spillway.client;

import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.GroupAdminOk;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupList;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.SeekResult;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/** Groups and their snapshots over the client's connection. Thread-safe. */
final class RemoteGroups {
    private static final int LIST = 1;
    private static final int DESCRIBE = 2;
    private static final int DELETE = 3;
    private static final int CREATE = 4;
    private static final int ALTER = 5;
    private static final int PAUSE = 6;
    private static final int RESUME = 7;
    private static final int SNAPSHOT = 8;
    private static final int RESTORE = 9;
    private static final int LIST_SNAPSHOTS = 10;
    private static final int DELETE_SNAPSHOT = 11;
    private static final String REASON = "client";

    private final Requests requests;

    RemoteGroups(Requests requests) {
        this.requests = requests;
    }

    /** A group of a topic, for requests and messages about it. */
    private record Name(String topic, String group) {
        Name {
            Arguments.notEmpty("the topic's name", topic);
            Arguments.notEmpty("the group's name", group);
        }

        GroupAdmin.Builder request(int op) {
            return GroupAdmin.newBuilder()
                    .setOp(op)
                    .setTopic(topic)
                    .setGroup(group)
                    .setReason(REASON)
                    .setIdempotencyKey(UUID.randomUUID().toString());
        }

        GroupAdmin.Builder request(int op, String reason) {
            return request(op).setReason(Arguments.notEmpty("the reason", reason));
        }

        @Override
        public String toString() {
            return "group " + group + " of topic " + topic;
        }
    }

    List<GroupDescription> list() {
        return call("list groups", GroupAdmin.newBuilder().setOp(LIST), false, RemoteGroups::all);
    }

    List<GroupDescription> list(String topic) {
        Arguments.notEmpty("the topic's name", topic);
        GroupAdmin.Builder header = GroupAdmin.newBuilder().setOp(LIST).setTopic(topic);
        return call("list groups of topic " + topic, header, false, RemoteGroups::all);
    }

    GroupDescription describe(String topic, String group) {
        Name name = new Name(topic, group);
        return only(name, call("describe " + name, name.request(DESCRIBE), false, RemoteGroups::all));
    }

    void delete(String topic, String group) {
        Name name = new Name(topic, group);
        call("delete " + name, name.request(DELETE), true, RemoteGroups::all);
    }

    GroupDescription create(
            String topic, String group, GroupMode mode, StartPosition start, Map<String, String> config) {
        Name name = new Name(topic, group);
        return change(
                "create",
                name,
                name.request(CREATE).setMode(mode.wire()).setStart(start.wire()).putAllArgs(config));
    }

    GroupDescription alter(String topic, String group, Map<String, String> config, long expectRevision) {
        Name name = new Name(topic, group);
        return change("alter", name, name.request(ALTER).putAllArgs(config).setExpectRevision(expectRevision));
    }

    GroupDescription pause(String topic, String group, String reason) {
        Name name = new Name(topic, group);
        return change("pause", name, name.request(PAUSE, reason));
    }

    GroupDescription resume(String topic, String group, String reason) {
        Name name = new Name(topic, group);
        return change("resume", name, name.request(RESUME, reason));
    }

    private GroupDescription change(String verb, Name name, GroupAdmin.Builder header) {
        return only(name, call(verb + " " + name, header, true, RemoteGroups::all));
    }

    GroupSnapshot snapshot(String topic, String group, String snapshot, String reason) {
        Name name = new Name(topic, group);
        List<GroupSnapshot> taken = call(
                "take snapshot " + snapshot + " of " + name,
                name.request(SNAPSHOT, reason).setSnapshot(named(snapshot)),
                true,
                RemoteGroups::snapshots);
        return taken.stream()
                .filter(each -> each.name().equals(snapshot))
                .findFirst()
                .orElseThrow(() -> SpillwayException.of(
                        Code.NOT_FOUND,
                        "snapshot " + snapshot + " of " + name + " is not in the broker's answer",
                        "the broker does not say what it kept",
                        "list the group's snapshots"));
    }

    GroupDescription restore(String topic, String group, String snapshot, String reason) {
        Name name = new Name(topic, group);
        GroupAdmin.Builder header = name.request(RESTORE, reason).setSnapshot(named(snapshot));
        return only(name, call("restore snapshot " + snapshot + " of " + name, header, true, RemoteGroups::all));
    }

    List<GroupSnapshot> snapshots(String topic, String group) {
        Name name = new Name(topic, group);
        return call("list snapshots of " + name, name.request(LIST_SNAPSHOTS), false, RemoteGroups::snapshots);
    }

    void deleteSnapshot(String topic, String group, String snapshot) {
        Name name = new Name(topic, group);
        GroupAdmin.Builder header = name.request(DELETE_SNAPSHOT).setSnapshot(named(snapshot));
        call("delete snapshot " + snapshot + " of " + name, header, true, RemoteGroups::all);
    }

    private static String named(String snapshot) {
        return Arguments.notEmpty("the snapshot's name", snapshot);
    }

    SeekOutcome seek(String topic, String group, StartPosition to, boolean dryRun, String reason) {
        Name name = new Name(topic, group);
        if (to.kind() == StartPosition.GROUP) {
            throw Arguments.invalid(name + " is to go where it is", "that is no move");
        }
        Seek header = Seek.newBuilder()
                .setTopic(topic)
                .setGroup(group)
                .setTo(to.wire())
                .setDryRun(dryRun)
                .setReason(Arguments.notEmpty("the reason", reason))
                .build();
        return requests.call(new Requests.Request<>(
                "seek " + name + " to " + to,
                FrameKind.SEEK,
                header,
                !dryRun,
                frame -> seek(frame.header(SeekResult.parser()))));
    }

    private <T> T call(String what, GroupAdmin.Builder header, boolean changes, Function<Frame, T> reader) {
        return requests.call(new Requests.Request<>(what, FrameKind.GROUP_ADMIN, header.build(), changes, reader));
    }

    // ---- from the wire

    private static List<GroupDescription> all(Frame frame) {
        return RemoteAdmin.parse(frame, GroupList.parser()).getGroupsList().stream()
                .map(RemoteGroups::group)
                .sorted(Comparator.comparing(GroupDescription::topic).thenComparing(GroupDescription::group))
                .toList();
    }

    private static GroupDescription only(Name name, List<GroupDescription> found) {
        return found.stream()
                .filter(description -> description.group().equals(name.group()))
                .findFirst()
                .orElseThrow(() -> SpillwayException.of(
                        Code.GROUP_NOT_FOUND,
                        name + " does not exist",
                        "the broker has no group of that name there",
                        "list the topic's groups; a group begins with its first consumer, or when it is created"));
    }

    private static List<GroupSnapshot> snapshots(Frame frame) {
        return frame.header(GroupAdminOk.parser()).getSnapshotsList().stream()
                .map(snapshot -> new GroupSnapshot(
                        snapshot.getName(),
                        snapshot.getTakenUnixMs(),
                        snapshot.getReason(),
                        partitions(snapshot.getPartitionsList())))
                .sorted(Comparator.comparing(GroupSnapshot::name))
                .toList();
    }

    private static GroupDescription group(GroupInfo info) {
        return new GroupDescription(
                info.getTopic(),
                info.getGroup(),
                GroupMode.of(info.getMode()),
                Map.copyOf(info.getConfigMap()),
                info.getPaused(),
                info.getPauseReason(),
                info.getPausedUnixMs(),
                info.getMembers(),
                info.getMemberListList().stream()
                        .map(member -> new GroupDescription.Member(
                                member.getName(),
                                member.getActive(),
                                member.getInFlight(),
                                member.getPaused(),
                                member.getState(),
                                member.getWeightPm(),
                                member.getWhy(),
                                member.getRelieved()))
                        .toList(),
                info.getRevision(),
                info.getMaxDeliveries(),
                info.getCreatedUnixMs(),
                info.getAcked(),
                info.getDeadLettered(),
                partitions(info.getPartitionsList()));
    }

    private static List<GroupDescription.Partition> partitions(List<GroupPartition> partitions) {
        return partitions.stream()
                .map(p -> new GroupDescription.Partition(
                        p.getPartition(),
                        p.getCursor(),
                        p.getAckedAbove(),
                        p.getInFlight(),
                        p.getWaitingRetry(),
                        p.getEndOffset(),
                        p.getBacklog(),
                        p.getScheduled(),
                        p.getKeyBlocked(),
                        p.getDropped()))
                .sorted(Comparator.comparingInt(GroupDescription.Partition::partition))
                .toList();
    }

    private static SeekOutcome seek(SeekResult result) {
        return new SeekOutcome(
                result.getApplied(),
                result.getRevision(),
                result.getPartitionsList().stream()
                        .map(p -> new SeekOutcome.Partition(p.getPartition(), p.getFrom(), p.getTo(), p.getEnd()))
                        .sorted(Comparator.comparingInt(SeekOutcome.Partition::partition))
                        .toList());
    }
}
