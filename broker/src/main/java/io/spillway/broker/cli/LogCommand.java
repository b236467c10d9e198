package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.log.LogDumper;
import io.spillway.broker.log.LogProblem;
import io.spillway.broker.log.LogVerifier;
import io.spillway.broker.log.VerifyReport;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway log}: looks into a data directory that no broker has open. */
@Command(name = "log", description = "Looks into a data directory that no broker has open.")
final class LogCommand {
    private final Console console;

    LogCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "verify",
            description = {
                "Reads every byte, checks it, and says what is damaged. Changes nothing.",
                "Exit code 6 when something is damaged; a torn tail is what every crash may leave, and no damage."
            })
    int verify(
            @Parameters(paramLabel = "DIR", description = "The data directory.") Path directory,
            @Option(
                            names = "--output",
                            paramLabel = "FORMAT",
                            defaultValue = "TEXT",
                            description = "text or json. Default: text.")
                    OutputFormat output)
            throws IOException {
        VerifyReport report = LogVerifier.verify(directory);
        if (output == OutputFormat.JSON) {
            console.json(json -> writeJson(report, json));
        } else {
            console.line(text(report));
        }
        return report.ok() ? ExitCode.OK : ExitCode.CORRUPT;
    }

    @Command(name = "dump", description = "Lists the entries of the log, oldest first. Changes nothing.")
    int dump(
            @Parameters(paramLabel = "DIR", description = "The data directory.") Path directory,
            @Option(names = "--limit", paramLabel = "N", description = "At most this many. Default: all.") @Nullable
                    Long limit,
            @Option(
                            names = "--output",
                            paramLabel = "FORMAT",
                            defaultValue = "TEXT",
                            description = "text or json. Default: text.")
                    OutputFormat output)
            throws IOException {
        long most = limit == null ? Long.MAX_VALUE : UsageException.atLeast("--limit", limit, 1);
        EntryWriter writer = new EntryWriter(console, output == OutputFormat.JSON, most);
        LogDumper.dump(directory, writer);
        writer.flush();
        return ExitCode.OK;
    }

    private static String text(VerifyReport report) {
        StringBuilder text = new StringBuilder();
        for (VerifyReport.Finding finding : report.findings()) {
            LogProblem problem = finding.problem();
            text.append("shard ").append(finding.shard());
            if (problem.segment() >= 0) {
                text.append(" segment ").append(problem.segment());
            }
            if (problem.position() >= 0) {
                text.append(" byte ").append(problem.position());
            }
            text.append(": ").append(problem.kind()).append(": ").append(problem.what());
            text.append("; next: ").append(problem.nextStep()).append('\n');
        }
        return text + (report.ok() ? "ok: " : "damaged: ") + report.shards() + " shards, " + report.segments()
                + " segments, " + report.entries() + " entries, " + report.batches() + " batches, " + report.records()
                + " records, " + report.bytes() + " bytes, " + report.findings().size() + " findings";
    }

    private static void writeJson(VerifyReport report, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeBooleanField("ok", report.ok());
        json.writeNumberField("shards", report.shards());
        json.writeNumberField("segments", report.segments());
        json.writeNumberField("entries", report.entries());
        json.writeNumberField("batches", report.batches());
        json.writeNumberField("records", report.records());
        json.writeNumberField("bytes", report.bytes());
        json.writeArrayFieldStart("findings");
        for (VerifyReport.Finding finding : report.findings()) {
            json.writeStartObject();
            json.writeNumberField("shard", finding.shard());
            json.writeNumberField("segment", finding.problem().segment());
            json.writeNumberField("position", finding.problem().position());
            json.writeStringField("kind", finding.problem().kind().name());
            json.writeStringField("what", finding.problem().what());
            json.writeStringField("next", finding.problem().nextStep());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
