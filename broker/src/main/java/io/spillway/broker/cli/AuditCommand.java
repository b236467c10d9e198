package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.spillway.client.Message;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import io.spillway.client.StartPosition;
import io.spillway.client.Subscription;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code spillway audit}: who did what and why. */
@Command(
        name = "audit",
        description =
                "Shows who sought, purged, restored, paused, deleted, replayed and redrove what, who changed quotas, links and the "
                        + "cluster, and why.")
final class AuditCommand implements Callable<Integer> {
    private static final String TOPIC = "spillway.audit";
    private static final Duration POLL_STEP = Duration.ofMillis(200);
    private static final JsonFactory JSON = new JsonFactory();

    private final Console console;

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Option(names = "--since", paramLabel = "DURATION", description = "Only the last 30m, 12h or 7d, say.")
    private @Nullable Duration since;

    @Option(
            names = "--operation",
            paramLabel = "NAME",
            description = "Only this one, or all that begin so: replay, replay.start, group.seek, cluster.remove.")
    private String operation = "";

    @Option(names = "--follow", description = "Goes on with what is written then.")
    private boolean follow;

    AuditCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        try (StopSignal stop = StopSignal.listen();
                SpillwayClient client = common.connect()) {
            long end;
            try {
                end = client.admin().describeTopic(TOPIC).partitions().get(0).endOffset();
            } catch (SpillwayException e) {
                if (e.is(Code.TOPIC_NOT_FOUND)) {
                    console.err().println("nothing was audited yet");
                    return ExitCode.OK;
                }
                throw e;
            }
            read(client, end, stop);
        }
        return ExitCode.OK;
    }

    private void read(SpillwayClient client, long end, StopSignal stop) throws IOException {
        Duration back = since;
        StartPosition start = back == null
                ? StartPosition.earliest()
                : StartPosition.time(Instant.now().minus(back));
        long idleNs = 0;
        long lastNs = System.nanoTime();
        long next = 0;
        try (Subscription subscription = client.subscribe(TOPIC).start(start).open()) {
            // With --since, that nothing is newer is not told from a slow answer but by waiting a second.
            while (!stop.requested() && (follow || (next < end && idleNs < 1_000_000_000L))) {
                for (Message message : subscription.poll(100, POLL_STEP)) {
                    next = message.offset() + 1;
                    lastNs = System.nanoTime();
                    show(message);
                }
                idleNs = System.nanoTime() - lastNs;
            }
        }
    }

    private void show(Message message) throws IOException {
        Map<String, String> fields = fields(message.value());
        String name = fields.getOrDefault("operation", "");
        if (!name.equals(operation) && !operation.isEmpty() && !name.startsWith(operation + ".")) {
            return;
        }
        if (common.json()) {
            console.line(new String(message.value(), StandardCharsets.UTF_8));
            return;
        }
        String group = fields.getOrDefault("group", "");
        String result = fields.getOrDefault("result", "");
        console.line(fields.getOrDefault("time", "") + "  " + name + " " + fields.getOrDefault("phase", "") + "  "
                + fields.getOrDefault("topic", "") + (group.isEmpty() ? "" : " " + group) + "  by "
                + fields.getOrDefault("who", "") + "  \"" + fields.getOrDefault("reason", "") + "\"  "
                + fields.getOrDefault("detail", "") + (result.isEmpty() ? "" : "  -> " + result));
    }

    /** The fields as text; those of the detail together. */
    private static Map<String, String> fields(byte[] json) throws IOException {
        Map<String, String> fields = new HashMap<>();
        StringBuilder detail = new StringBuilder();
        try (JsonParser parser = JSON.createParser(json)) {
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                String name = parser.currentName();
                if (token.isScalarValue() && depth == 1) {
                    fields.put(name, parser.getText());
                } else if (token.isScalarValue()) {
                    detail.append(detail.isEmpty() ? "" : " ")
                            .append(name)
                            .append('=')
                            .append(parser.getText());
                }
            }
        }
        fields.put("detail", detail.toString());
        return fields;
    }
}
