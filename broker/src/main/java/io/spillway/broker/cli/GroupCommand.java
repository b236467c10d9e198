package io.spillway.broker.cli;

import io.spillway.client.GroupDescription;
import io.spillway.client.SeekOutcome;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway group}: shows, moves and deletes consumer groups. */
@Command(name = "group", description = "Shows, moves and deletes consumer groups.")
final class GroupCommand {
    private final Console console;

    GroupCommand(Console console) {
        this.console = console;
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

    @Command(name = "describe", description = "Shows where a group is in each partition.")
    int describe(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "TOPIC", description = "Its topic.") String topic,
            @Parameters(paramLabel = "GROUP", description = "Its name.") String name)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            GroupDescription group = client.admin().describeGroup(topic, name);
            if (common.json()) {
                console.json(json -> GroupView.writeJson(group, json));
            } else {
                console.line(GroupView.details(group));
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
