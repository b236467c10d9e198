package io.spillway.broker.cli;

import io.spillway.client.ReplayJob;
import io.spillway.client.ReplayPlan;
import io.spillway.client.ReplaySelection;
import io.spillway.client.ReplayTarget;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway dlq redrive}: a plan over the dead letters of a topic, started at once, back to where they come from. */
@Command(
        name = "redrive",
        description = {
            "Publishes the dead letters of a topic again where they come from; all groups of that topic get them.",
            "Running it twice adds nothing twice, within the idempotency window of the topic."
        })
final class DlqRedrive implements Callable<Integer> {
    private static final String SUFFIX = ".dlq";

    private final Console console;

    @Parameters(paramLabel = "TOPIC", description = "The topic the dead letters come from, or its dead-letter topic.")
    private String topic = "";

    @Mixin
    private ConnectOptions common = new ConnectOptions();

    @Option(
            names = "--filter",
            paramLabel = "EXPR",
            description = "Only dead letters whose headers match, such as \"`spillway-dlq-group` = 'billing'\".")
    private @Nullable String filter;

    @Option(
            names = "--cause",
            paramLabel = "CAUSE",
            description =
                    "Only those with this cause: MAX_DELIVERIES, MEMBERS_FAILED, TERMINATED, LEASE_EXPIRED, EXPIRED, "
                            + "POISON.")
    private @Nullable String cause;

    @Mixin
    private ReplayStartOptions options = new ReplayStartOptions();

    DlqRedrive(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        ReplaySelection selection = ReplaySelection.of(topic.endsWith(SUFFIX) ? topic : topic + SUFFIX);
        selection = filter == null ? selection : selection.filter(filter);
        selection = cause == null ? selection : selection.deadLetterCause(cause);
        try (SpillwayClient client = common.connect()) {
            ReplayPlan plan = ReplayFollower.plan(client.admin(), selection, console);
            ReplayJob started = client.admin().startReplay(plan.id(), ReplayTarget.origin(), options.options());
            ReplayJob job = options.waits() ? ReplayFollower.follow(client.admin(), started, console) : started;
            if (common.json()) {
                console.json(json -> ReplayView.writeJson(job, json));
            } else {
                console.line(ReplayView.details(job));
            }
            boolean stopped = job.state() == ReplayJob.State.FAILED || job.state() == ReplayJob.State.PAUSED;
            return stopped ? ExitCode.FAILURE : ExitCode.OK;
        }
    }
}
