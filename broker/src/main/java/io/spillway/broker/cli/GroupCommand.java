package io.spillway.broker.cli;

import io.spillway.client.GroupDescription;
import io.spillway.client.GroupMode;
import io.spillway.client.GroupSnapshot;
import io.spillway.client.SeekOutcome;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway group}: creates, shows, changes, pauses, moves and deletes consumer groups. */
@Command(name = "group", description = "Creates, shows, changes, pauses, moves and deletes consumer groups.")
final class GroupCommand {
    private final Console console;

    GroupCommand(Console console) {
        this.console = console;
    }

    @Command(name = "create", description = "Creates a group before its first consumer comes.")
    int create(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name,
            @Option(
                            names = "--mode",
                            paramLabel = "MODE",
                            defaultValue = "SHARED",
                            description =
                                    "shared, key-ordered (one message of a key at a time, in order) or exclusive (one "
                                            + "consumer at a time). Default: shared.")
                    GroupMode mode,
            @Option(
                            names = "--from",
                            paramLabel = "POSITION",
                            defaultValue = "earliest",
                            description =
                                    "Where it begins: earliest, latest, offset:PARTITION:OFFSET or time:T. Default: "
                                            + "earliest.")
                    Position from,
            @Mixin GroupSettings settings)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            GroupDescription group = client.admin().createGroup(topic, name, mode, from.start(), settings.toMap());
            show(common, group, "created group " + name + " of topic " + topic + ": " + GroupView.config(group));
        }
        return ExitCode.OK;
    }

    @Command(name = "list", description = "Lists the groups of all topics, or of one.")
    int list(
            @Mixin CommonOptions common,
            @Option(names = "--topic", paramLabel = "TOPIC", description = "Only the groups of this topic.") @Nullable
                    String topic)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            List<GroupDescription> groups =
                    topic == null ? client.admin().listGroups() : client.admin().listGroups(topic);
            if (common.json()) {
                for (GroupDescription group : groups) {
                    console.json(json -> GroupView.writeJson(group, json));
                }
            } else {
                console.line(GroupView.list(groups));
            }
        }
        return ExitCode.OK;
    }

    @Command(
            name = "describe",
            description = "Shows a group: its settings, its members, where it is in each partition.")
    int describe(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            GroupDescription group = client.admin().describeGroup(topic, name);
            show(common, group, GroupView.details(group));
        }
        return ExitCode.OK;
    }

    private void show(CommonOptions common, GroupDescription group, String text) throws IOException {
        if (common.json()) {
            console.json(json -> GroupView.writeJson(group, json));
        } else {
            console.line(text);
        }
    }

    @Command(name = "alter", description = "Changes the given settings of a group.")
    int alter(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name,
            @Mixin GroupSettings settings)
            throws IOException {
        Map<String, String> changes = settings.toMap();
        if (changes.isEmpty()) {
            throw new UsageException("no change is given", "alter changes settings only", "give --config KEY=VALUE");
        }
        try (SpillwayClient client = common.connect()) {
            GroupDescription group = client.admin().alterGroup(topic, name, changes);
            show(common, group, "altered group " + name + " of topic " + topic + ": " + GroupView.config(group));
        }
        return ExitCode.OK;
    }

    @Command(
            name = "pause",
            description = "Has a group deliver nothing until it is resumed; what is leased may still be settled.")
    int pause(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name,
            @Option(names = "--reason", paramLabel = "TEXT", description = "Why; shown as long as it is paused.")
                    @Nullable
                    String reason)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            GroupDescription group = client.admin().pauseGroup(topic, name, reasonOr(reason, "pause"));
            show(common, group, "paused group " + name + " of topic " + topic + ": " + group.pauseReason());
        }
        return ExitCode.OK;
    }

    @Command(name = "resume", description = "Ends the pause of a group, whether an operator or the broker began it.")
    int resume(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name,
            @Option(names = "--reason", paramLabel = "TEXT", description = "Why.") @Nullable String reason)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            GroupDescription group = client.admin().resumeGroup(topic, name, reasonOr(reason, "resume"));
            show(common, group, "resumed group " + name + " of topic " + topic);
        }
        return ExitCode.OK;
    }

    private static String reasonOr(@Nullable String reason, String command) {
        return reason == null ? "spillway group " + command : reason;
    }

    @Command(name = "snapshot", description = "Keeps what a group has settled, under a name, or deletes what was kept.")
    int snapshot(
            @Mixin CommonOptions common,
            @Mixin GroupSnapshotOptions which,
            @Option(names = "--delete", description = "Deletes the snapshot of this name.") boolean delete)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            if (delete) {
                client.admin().deleteGroupSnapshot(which.topic(), which.group(), which.name());
                GroupView.show(console, common, "deleted snapshot " + which.name(), json -> {
                    json.writeStartObject();
                    json.writeStringField("deleted", which.name());
                    json.writeEndObject();
                });
                return ExitCode.OK;
            }
            GroupSnapshot taken =
                    client.admin().snapshotGroup(which.topic(), which.group(), which.name(), which.reason());
            GroupView.show(
                    console,
                    common,
                    "kept what group " + which.group() + " of topic " + which.topic() + " has settled as "
                            + which.name(),
                    json -> GroupView.writeJson(taken, json));
        }
        return ExitCode.OK;
    }

    @Command(
            name = "restore",
            description = "Sets a group to exactly what it had settled when a snapshot was taken; its leases end.")
    int restore(@Mixin CommonOptions common, @Mixin GroupSnapshotOptions which) throws IOException {
        try (SpillwayClient client = common.connect()) {
            GroupDescription group =
                    client.admin().restoreGroup(which.topic(), which.group(), which.name(), which.reason());
            show(
                    common,
                    group,
                    "restored group " + which.group() + " of topic " + which.topic() + " to " + which.name() + "\n\n"
                            + GroupView.details(group));
            long gone = client.admin().groupSnapshots(which.topic(), which.group()).stream()
                    .filter(snapshot -> snapshot.name().equals(which.name()))
                    .flatMap(snapshot -> snapshot.partitions().stream())
                    .mapToLong(GroupDescription.Partition::dropped)
                    .sum();
            if (gone > 0) {
                console.err()
                        .println(gone + " records after the snapshot's place are gone by retention; the group begins "
                                + "where the log begins now");
            }
        }
        return ExitCode.OK;
    }

    @Command(name = "snapshots", description = "Lists the snapshots of a group.")
    int snapshots(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            List<GroupSnapshot> snapshots = client.admin().groupSnapshots(topic, name);
            if (common.json()) {
                for (GroupSnapshot snapshot : snapshots) {
                    console.json(json -> GroupView.writeJson(snapshot, json));
                }
            } else {
                console.line(GroupView.snapshots(snapshots));
            }
        }
        return ExitCode.OK;
    }

    @Command(name = "seek", description = "Moves a group; what lies after the new place is delivered again.")
    int seek(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name,
            @Mixin SeekOptions seek)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            SeekOutcome outcome = client.admin().seekGroup(topic, name, seek.start(), seek.dryRun(), seek.reason());
            if (common.json()) {
                console.json(json -> GroupView.writeJson(topic, name, outcome, json));
            } else {
                console.line(GroupView.details(topic, name, outcome));
            }
        }
        return ExitCode.OK;
    }

    @Command(name = "delete", description = "Forgets a group and where it was; the records stay.")
    int delete(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            client.admin().deleteGroup(topic, name);
        }
        if (common.json()) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("topic", topic);
                json.writeStringField("deleted", name);
                json.writeEndObject();
            });
        } else {
            console.line("deleted group " + name + " of topic " + topic);
        }
        return ExitCode.OK;
    }
}
