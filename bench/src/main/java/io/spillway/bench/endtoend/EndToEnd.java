package io.spillway.bench.endtoend;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.spillway.bench.Directories;
import io.spillway.client.Durability;
import io.spillway.client.GroupMode;
import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs the scenarios round by round against one broker process and writes what they found. */
@Command(
        name = "bench/run e2e",
        description = "Measures a broker process through the Java client, beside raw Chronicle in the same run.",
        showDefaultValues = true)
public final class EndToEnd implements Callable<Integer> {
    enum Mode {
        QUICK,
        FULL
    }

    @Parameters(arity = "0..1", defaultValue = "QUICK", description = "${COMPLETION-CANDIDATES}: about 4 or 30 minutes")
    private Mode mode = Mode.QUICK;

    @Option(names = "--only", defaultValue = ".*", description = "scenarios whose name this regular expression finds")
    private Pattern only = Pattern.compile(".*");

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    @Option(names = "--rounds", description = "instead of the mode's")
    private int rounds;

    @Option(names = "--seconds", description = "of publishing per scenario and round, instead of the mode's")
    private int seconds;

    @Option(names = "--broker", defaultValue = "bin/spillway", description = "command that is run with 'serve'")
    private Path broker = Path.of("bin/spillway");

    @Option(names = "--dir", defaultValue = "build/bench", description = "for data and results")
    private Path directory = Path.of("build/bench");

    private final PrintStream out;

    private EndToEnd(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) {
        System.exit(new CommandLine(new EndToEnd(System.out))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(args));
    }

    private static List<Scenario> scenarios() {
        return List.of(
                new PublishScenario(128, Durability.MAPPED),
                new PublishScenario(128, Durability.SYNCED),
                new PublishScenario(1024, Durability.MAPPED),
                new PublishScenario(1024, Durability.SYNCED),
                new KeyedPublishScenario(128, Durability.MAPPED),
                new KeyedPublishScenario(128, Durability.SYNCED),
                new KeyedPublishScenario(1024, Durability.MAPPED),
                new ConsumeScenario(128, Durability.MAPPED, Consumption.STREAM),
                new ConsumeScenario(128, Durability.MAPPED, Consumption.GROUP),
                new ConsumeScenario(1024, Durability.MAPPED, Consumption.STREAM),
                new DrainScenario(256, Consumption.STREAM),
                new DrainScenario(256, Consumption.GROUP),
                new GroupScenario(GroupMode.SHARED, 1),
                new GroupScenario(GroupMode.SHARED, 4),
                new GroupScenario(GroupMode.SHARED, 16),
                new GroupScenario(GroupMode.KEY_ORDERED, 1),
                new GroupScenario(GroupMode.KEY_ORDERED, 4),
                new GroupScenario(GroupMode.KEY_ORDERED, 16),
                new LatencyScenario(1_000, Durability.MAPPED, Consumption.STREAM),
                new LatencyScenario(1_000, Durability.SYNCED, Consumption.STREAM),
                new LatencyScenario(10_000, Durability.MAPPED, Consumption.STREAM),
                new LatencyScenario(10_000, Durability.SYNCED, Consumption.STREAM),
                new LatencyScenario(10_000, Durability.MAPPED, Consumption.GROUP),
                new BesideReplayScenario(10_000, 20_000));
    }

    @Override
    public Integer call() throws Exception {
        Plan plan = (mode == Mode.QUICK ? Plan.QUICK : Plan.FULL).with(rounds, seconds);
        Path work = directory.resolve("data").toAbsolutePath();
        Directories.delete(work);
        Files.createDirectories(work);
        String facts = Machine.facts(work);
        out.println(facts);
        Report report = new Report();
        Machine.Cpu before = Machine.cpu();
        Duration brokerCpu = measure(plan, work, report);
        String others = Machine.others(before, Machine.cpu(), List.of(brokerCpu, cpuOf(ProcessHandle.current())));
        if (only.matcher("start").find()) {
            new Starts(broker, work).run(plan.starts(), report);
        }
        Directories.delete(work);
        write(facts + ". " + others, plan, report);
        return 0;
    }

    /** Returns the CPU time the broker used. */
    private Duration measure(Plan plan, Path work, Report report) throws Exception {
        List<Scenario> chosen = scenarios().stream()
                .filter(scenario -> only.matcher(scenario.name()).find())
                .toList();
        if (chosen.isEmpty()) {
            return Duration.ZERO;
        }
        BatchSizes batchSizes = new BatchSizes();
        try (BrokerProcess process = BrokerProcess.start(broker, work.resolve("broker"), work.resolve("broker.log"));
                ThreadCosts costs = ThreadCosts.of(process.handle().pid());
                SpillwayClient client = SpillwayClient.builder()
                        .endpoints(process.endpoint())
                        .metrics(batchSizes)
                        .connect()) {
            for (int i = 0; i <= plan.rounds(); i++) {
                boolean warmUp = i == 0;
                out.println(warmUp ? "warming up" : "round " + i + " of " + plan.rounds());
                Scenario.Round round = new Scenario.Round(
                        client, batchSizes, costs, warmUp ? plan.warmUp() : plan, warmUp ? new Report() : report, work);
                for (Scenario scenario : chosen) {
                    out.println("  " + scenario.name());
                    scenario.run(round);
                }
            }
            Starts.addMemory("after the run", process, report);
            return cpuOf(process.handle());
        }
    }

    private static Duration cpuOf(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private void write(String facts, Plan plan, Report report) throws IOException {
        String markdown = facts + "\n\n" + plan + "; median of the rounds (least .. most).\n" + report.markdown();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("facts", facts);
        json.put("plan", plan);
        json.put("figures", report.figures());
        Files.writeString(directory.resolve("end-to-end.md"), markdown);
        new ObjectMapper()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .writeValue(directory.resolve("end-to-end.json").toFile(), json);
        out.println();
        out.println(markdown);
    }
}
