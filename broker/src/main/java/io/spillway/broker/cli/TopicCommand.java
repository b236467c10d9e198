package io.spillway.broker.cli;

import io.spillway.client.Admin;
import io.spillway.client.SpillwayClient;
import io.spillway.client.TopicDescription;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway topic}: creates, shows, changes, purges and deletes topics. */
@Command(name = "topic", description = "Creates, shows, changes, purges and deletes topics.")
final class TopicCommand {
    private final Console console;

    TopicCommand(Console console) {
        this.console = console;
    }

    @Command(name = "create", description = "Creates a topic.")
    int create(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Option(names = "--partitions", paramLabel = "N", defaultValue = "1", description = "Default: 1.")
                    int partitions,
            @Mixin TopicSettings settings)
            throws IOException {
        UsageException.atLeast("--partitions", partitions, 1);
        try (SpillwayClient client = common.connect()) {
            TopicDescription topic = client.admin().createTopic(name, partitions, settings.toMap());
            show(common, topic, "created topic " + name + " with " + partitions(topic));
        }
        return ExitCode.OK;
    }

    @Command(name = "list", description = "Lists all topics.")
    int list(@Mixin CommonOptions common) throws IOException {
        try (SpillwayClient client = common.connect()) {
            List<TopicDescription> topics = client.admin().listTopics();
            if (common.json()) {
                for (TopicDescription topic : topics) {
                    console.json(json -> TopicView.writeJson(topic, json));
                }
            } else {
                console.line(TopicView.list(topics));
            }
        }
        return ExitCode.OK;
    }

    @Command(name = "describe", description = "Shows a topic: settings, and offsets and bytes of its partitions.")
    int describe(@Mixin CommonOptions common, @Parameters(paramLabel = "NAME", description = "Its name.") String name)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            TopicDescription topic = client.admin().describeTopic(name);
            show(common, topic, TopicView.details(topic));
        }
        return ExitCode.OK;
    }

    @Command(name = "alter", description = "Changes the given settings of a topic.")
    int alter(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Mixin TopicSettings settings)
            throws IOException {
        Map<String, String> changes = settings.toMap();
        if (changes.isEmpty()) {
            throw new UsageException("no change is given", "alter changes settings only", "give --config KEY=VALUE");
        }
        try (SpillwayClient client = common.connect()) {
            TopicDescription topic = client.admin().alterTopic(name, changes);
            show(common, topic, "altered topic " + name + ": " + TopicView.config(topic));
        }
        return ExitCode.OK;
    }

    @Command(name = "delete", description = "Deletes a topic, its records and its groups.")
    int delete(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Option(names = "--yes", description = "Does not ask.") boolean yes)
            throws IOException {
        if (!yes && !confirmed("Delete topic " + name + " with all its records?", name)) {
            throw new UsageException(
                    "topic " + name + " is not deleted", "deleting it was not confirmed", "give --yes if you mean it");
        }
        try (SpillwayClient client = common.connect()) {
            client.admin().deleteTopic(name);
        }
        if (common.json()) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("deleted", name);
                json.writeEndObject();
            });
        } else {
            console.line("deleted topic " + name);
        }
        return ExitCode.OK;
    }

    @Command(name = "purge", description = "Removes the records of a topic before a position, for all its groups.")
    int purge(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Mixin PurgeOptions purge)
            throws IOException {
        if (!purge.yes() && !confirmed("Remove records of topic " + name + " for good?", name)) {
            throw new UsageException(
                    "topic " + name + " is not purged", "purging it was not confirmed", "give --yes if you mean it");
        }
        try (SpillwayClient client = common.connect()) {
            TopicDescription topic = client.admin().purgeTopic(name, purge.before(), purge.reason());
            show(common, topic, TopicView.details(topic));
        }
        return ExitCode.OK;
    }

    @Command(
            name = "pause",
            description = {
                "Has publishes to a topic refused, or its consumers get nothing, until it is resumed.",
                "Consumers keep what they hold and settle it."
            })
    int pause(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Mixin TopicSwitchOptions options)
            throws IOException {
        options.require();
        return switched(
                common, name, admin -> admin.pauseTopic(name, options.publish(), options.dispatch(), options.reason()));
    }

    @Command(name = "resume", description = "Lets publishes to a topic, or its consumers, go on.")
    int resume(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Mixin TopicSwitchOptions options)
            throws IOException {
        options.require();
        return switched(
                common,
                name,
                admin -> admin.resumeTopic(name, options.publish(), options.dispatch(), options.reason()));
    }

    @Command(
            name = "shed-class",
            description =
                    "Gives publishes to a topic a class at least: when load is shed, the highest class goes first.")
    int shedClass(
            @Mixin CommonOptions common,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Parameters(
                            paramLabel = "CLASS",
                            description =
                                    "The least they have, from 1, the last to go, to 3. 0: what they say, or the topic's shed.class.")
                    int shedClass,
            @Option(
                            names = "--reason",
                            required = true,
                            paramLabel = "TEXT",
                            description = "Why; it is written to the audit.")
                    String reason)
            throws IOException {
        return switched(common, name, admin -> admin.shedClassOfTopic(name, shedClass, reason));
    }

    private boolean confirmed(String question, String name) throws IOException {
        if (!console.interactive()) {
            return false;
        }
        console.err().print(question + " Type its name: ");
        console.err().flush();
        byte[] answer = new RecordReader(console.in(), RecordReader.Mode.LINE).next();
        return answer != null
                && new String(answer, StandardCharsets.UTF_8).strip().equals(name);
    }

    private void show(CommonOptions common, TopicDescription topic, String text) throws IOException {
        if (common.json()) {
            console.json(json -> TopicView.writeJson(topic, json));
        } else {
            console.line(text);
        }
    }

    private static String partitions(TopicDescription topic) {
        int count = topic.partitions().size();
        return count == 1 ? "1 partition" : count + " partitions";
    }

    private int switched(CommonOptions common, String name, Function<Admin, TopicDescription> change)
            throws IOException {
        try (SpillwayClient client = common.connect()) {
            TopicDescription topic = change.apply(client.admin());
            show(common, topic, "topic " + name + ": " + TopicView.switches(topic));
        }
        return ExitCode.OK;
    }
}
