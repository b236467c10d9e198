package io.spillway.broker.cli;

import io.spillway.broker.backup.Backup;
import io.spillway.broker.base.Clock;
import io.spillway.broker.config.Quantity;
import io.spillway.broker.log.LogProblem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway backup}: copies a data directory, also of a broker that runs. */
@Command(
        name = "backup",
        description = {
            "Copies a data directory to a new one, also while its broker runs.",
            "Everything acked before it began is in the copy, on which a broker can be started. Run it on the broker's machine, as "
                    + "its user. Exit code 6 when what was copied is damaged; it is written all the same."
        })
final class BackupCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(index = "0", paramLabel = "DIR", description = "The data directory.")
    private Path from = Path.of("");

    @Parameters(index = "1", paramLabel = "TO", description = "The directory to make; it is not there yet.")
    private Path to = Path.of("");

    @Option(
            names = "--rate",
            paramLabel = "BYTES",
            defaultValue = "64MiB",
            description =
                    "How many bytes a second are read at most, as 64MiB; 0 = as fast as the disk. Default: 64MiB.")
    private String rate = "";

    @Option(
            names = "--output",
            paramLabel = "FORMAT",
            defaultValue = "TEXT",
            description = "text or json. Default: text.")
    private OutputFormat output = OutputFormat.TEXT;

    BackupCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        OptionalLong bytesPerSecond = Quantity.bytes(rate);
        if (bytesPerSecond.isEmpty() || bytesPerSecond.getAsLong() < 0) {
            throw new UsageException("no backup is made", "--rate is " + rate, "give bytes a second, as 64MiB, or 0");
        }
        Backup.Report report = Backup.write(from, to, bytesPerSecond.getAsLong(), Clock.SYSTEM);
        if (output == OutputFormat.JSON) {
            writeJson(report);
        } else {
            console.line(text(report));
        }
        return report.problems().isEmpty() ? ExitCode.OK : ExitCode.CORRUPT;
    }

    private String text(Backup.Report report) {
        StringBuilder text = new StringBuilder();
        for (LogProblem problem : report.problems()) {
            text.append("damaged: segment ").append(problem.segment()).append(": ");
            text.append(problem.kind()).append(": ").append(problem.what());
            text.append("; next: ").append(problem.nextStep()).append('\n');
        }
        return text + "backup of node " + report.nodeId() + " in " + to + ": " + report.files() + " files, "
                + report.bytes() + " bytes, " + report.entries().size() + " shards, " + report.tookMs()
                + " ms; everything acked before " + Instant.ofEpochMilli(report.beganMs()) + " is in it";
    }

    private void writeJson(Backup.Report report) throws IOException {
        console.json(json -> {
            json.writeStartObject();
            json.writeStringField("node", report.nodeId());
            json.writeStringField("directory", to.toString());
            json.writeStringField(
                    "began", Instant.ofEpochMilli(report.beganMs()).toString());
            json.writeNumberField("took_ms", report.tookMs());
            json.writeNumberField("files", report.files());
            json.writeNumberField("bytes", report.bytes());
            json.writeArrayFieldStart("entries");
            for (long entries : report.entries()) {
                json.writeNumber(entries);
            }
            json.writeEndArray();
            json.writeArrayFieldStart("problems");
            for (LogProblem problem : report.problems()) {
                json.writeStartObject();
                json.writeStringField("kind", problem.kind().name());
                json.writeNumberField("segment", problem.segment());
                json.writeStringField("what", problem.what());
                json.writeStringField("next", problem.nextStep());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }
}
