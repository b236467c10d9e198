package io.spillway.broker.cli;

import io.spillway.client.Durability;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code spillway bench}: puts a load on a broker and says how it did. */
@Command(name = "bench", description = "Puts a load on a broker and says how fast it was.")
final class BenchCommand {
    private static final long DEFAULT_RECORDS = 1_000_000;
    private static final long DEFAULT_LATENCY_RATE = 1_000;
    private static final long DEFAULT_LATENCY_SECONDS = 60;

    private final Console console;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "produce",
            description = {
                "Publishes as fast as the broker takes it, or at --rate; measures throughput and the time to the ack.",
                "At a rate, the time counts from when the record was due: a stall is charged to all it delays."
            })
    int produce(
            @Mixin CommonOptions common,
            @Mixin BenchOptions options,
            @Option(
                            names = "--producers",
                            paramLabel = "N",
                            defaultValue = "1",
                            description = "Each with a connection and a thread. Default: 1.")
                    int producers,
            @Option(
                            names = "--topics",
                            paramLabel = "N",
                            defaultValue = "1",
                            description = "Publishes in turn to TOPIC-1 .. TOPIC-N. Default: 1, which is TOPIC itself.")
                    int topics,
            @Option(names = "--rate", paramLabel = "N", description = "Records a second of all. Default: no limit.")
                    @Nullable
                    Long rate,
            @Option(
                            names = "--durability",
                            paramLabel = "LEVEL",
                            defaultValue = "DEFAULT",
                            description = "default (the topic's), mapped, synced or quorum.")
                    Durability durability)
            throws IOException {
        options.check(0);
        UsageException.atLeast("--producers", producers, 1);
        UsageException.atLeast("--topics", topics, 1);
        long perSecond = rate == null ? 0 : UsageException.atLeast("--rate", rate, 1);
        long records = options.records(DEFAULT_RECORDS);
        try (BenchProduce bench = new BenchProduce(options, durability, perSecond)) {
            bench.open(common, producers, topics);
            return show(common, bench.run(records));
        }
    }

    @Command(
            name = "consume",
            description = {
                "Reads a topic from its oldest record, or in a group with acks; measures throughput.",
                "Ends after --records or at the end the log has at the start. --size and --warmup do not matter here."
            })
    int consume(
            @Mixin CommonOptions common,
            @Mixin BenchOptions options,
            @Option(names = "--group", paramLabel = "GROUP", description = "Consumes in this group. Default: none.")
                    @Nullable
                    String group)
            throws IOException {
        options.check(0);
        return show(common, new BenchConsume(common, options, group).run(options.records(Long.MAX_VALUE)));
    }

    @Command(
            name = "latency",
            description = {
                "Publishes at a fixed rate and consumes at the same time; measures from when each record was due to be "
                        + "published until it is consumed, so that a stall is charged to all it delays.",
            })
    int latency(
            @Mixin CommonOptions common,
            @Mixin BenchOptions options,
            @Option(names = "--rate", paramLabel = "N", description = "Records a second. Default: 1000.") @Nullable
                    Long rate,
            @Option(
                            names = "--durability",
                            paramLabel = "LEVEL",
                            defaultValue = "DEFAULT",
                            description = "default (the topic's), mapped, synced or quorum.")
                    Durability durability)
            throws IOException {
        options.check(BenchLatency.MIN_SIZE);
        long perSecond = UsageException.atLeast("--rate", rate == null ? DEFAULT_LATENCY_RATE : rate, 1);
        long records = options.records(perSecond * DEFAULT_LATENCY_SECONDS);
        return show(common, new BenchLatency(common, options, durability).run(records, perSecond));
    }

    private int show(CommonOptions common, BenchReport report) throws IOException {
        if (common.json()) {
            console.json(report::writeJson);
        } else {
            console.line(report.text());
        }
        return report.missing() == 0 ? ExitCode.OK : ExitCode.FAILURE;
    }
}
