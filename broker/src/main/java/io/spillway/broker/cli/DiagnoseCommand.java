package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code spillway diagnose}: what is with something, why, and what to do next. */
@Command(
        name = "diagnose",
        description = {
            "Says what is wrong: what, why with the measured value and its limit, and what to do next.",
            "With a topic, group, member, the node or the cluster it says what is with that, also when it is well.",
            "Talks to the http address of a broker; of several the first is asked that does the work itself."
        },
        footer = {"", "Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage, 3 no broker answers, 4 not found."
        })
final class DiagnoseCommand implements Callable<Integer> {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final String PATH = "/diagnose";
    private static final String NOT_LEADER = "NOT_LEADER";

    private final Console console;

    @Mixin
    private HttpOptions http = new HttpOptions();

    DiagnoseCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        return ask(http, PATH);
    }

    @Command(name = "topic", description = "Whether a topic takes publishes, and what is with each of its groups.")
    int topic(@Mixin HttpOptions options, @Parameters(paramLabel = "TOPIC") String topic) throws IOException {
        return ask(options, PATH + "?topic=" + encoded(topic));
    }

    @Command(name = "group", description = "Why a group does or does not get its records.")
    int group(
            @Mixin HttpOptions options,
            @Parameters(paramLabel = "TOPIC") String topic,
            @Parameters(paramLabel = "GROUP") String group)
            throws IOException {
        return ask(options, PATH + "?topic=" + encoded(topic) + "&group=" + encoded(group));
    }

    @Command(name = "member", description = "Why a consumer does or does not get records, in each group it is in.")
    int member(
            @Mixin HttpOptions options,
            @Parameters(paramLabel = "NAME", description = "What the consumer calls itself, or its number.")
                    String name)
            throws IOException {
        return ask(options, PATH + "?member=" + encoded(name));
    }

    @Command(name = "node", description = "What is with one broker and the links that end there.")
    int node(@Mixin HttpOptions options) throws IOException {
        return ask(options, PATH + "?scope=node");
    }

    @Command(name = "cluster", description = "What is with the cluster: its leader, voters and other nodes.")
    int cluster(@Mixin HttpOptions options) throws IOException {
        return ask(options, PATH + "?scope=cluster");
    }

    private static String encoded(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private int ask(HttpOptions options, String path) throws IOException {
        Map<String, @Nullable Object> answer = answer(options, path);
        console.line(options.json() ? LinkReport.json(answer) : DiagnoseView.text(answer));
        return Boolean.TRUE.equals(answer.get("ok")) ? ExitCode.OK : ExitCode.FAILURE;
    }

    /** Of the first that knows; a node that follows knows nothing of groups. */
    private static Map<String, @Nullable Object> answer(HttpOptions options, String path) throws IOException {
        Map<String, @Nullable Object> follower = null;
        SpillwayException failure = null;
        AdminClient client = options.client();
        for (String address : client.addresses()) {
            try {
                Map<String, @Nullable Object> answer = client.get(address, path, options.timeout(TIMEOUT));
                if (!isElsewhere(answer)) {
                    return answer;
                }
                follower = answer;
            } catch (SpillwayException e) {
                if (e.code() != Code.CONNECT_FAILED) {
                    throw e;
                }
                failure = AdminClient.worse(failure, e);
            }
        }
        if (follower != null) {
            return follower;
        }
        throw failure == null ? AdminClient.noneGiven() : failure;
    }

    private static boolean isElsewhere(Map<String, @Nullable Object> answer) {
        List<Map<String, @Nullable Object>> all = LinkReport.objects(answer, "diagnoses");
        return all.stream().anyMatch(each -> AdminClient.text(each, "cause").equals(NOT_LEADER));
    }
}
