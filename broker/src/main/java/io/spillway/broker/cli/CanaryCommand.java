package io.spillway.broker.cli;

import io.spillway.client.SpillwayClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code spillway canary}: a record there and back, again and again, or once for a probe. */
@Command(
        name = "canary",
        description = {
            "Publishes a record, consumes it and acks it, and says how long that took: what an application needs of the broker, "
                    + "its network included.",
            "The topic is spillway.canary.java; it is made when it is not there. With another --language it looks at the topic "
                    + "that the canary of that client writes, and says how old its last round trip is."
        })
final class CanaryCommand implements Callable<Integer> {
    private static final String OWN = "java";
    private static final long NS_PER_MS = 1_000_000;

    private final Console console;

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Option(names = "--every", paramLabel = "DURATION", description = "Between two round trips. Default: 1s.")
    private Duration every = Duration.ofSeconds(1);

    @Option(names = "--once", description = "One round trip, and an exit code other than 0 when it fails.")
    private boolean once;

    @Option(names = "--language", paramLabel = "NAME", description = "Whose canary: java, go or rust. Default: java.")
    private String language = OWN;

    @Option(
            names = "--max-age",
            paramLabel = "DURATION",
            description = "How old the last round trip of another client's canary may be. Default: 10s.")
    private Duration maxAge = Duration.ofSeconds(10);

    CanaryCommand(Console console) {
        this.console = console;
    }

    /** One way to find out that all is well. */
    interface Probe extends AutoCloseable {
        /** How long a round trip took, in ms. Throws when there was none. */
        double roundTripMs();

        @Override
        void close();
    }

    @Override
    public Integer call() throws Exception {
        UsageException.atLeast("--every in ms", every.toMillis(), 1);
        if (!language.matches("[a-z]{1,32}")) {
            throw new UsageException("--language is " + language, "it is no name of a client", "give java, go or rust");
        }
        try (StopSignal stop = StopSignal.listen();
                SpillwayClient client = common.connect();
                Probe probe = language.equals(OWN)
                        ? new CanaryFlight(client, common.timeout())
                        : new CanaryWatch(client, language, maxAge, common.timeout())) {
            if (once) {
                report(probe.roundTripMs());
                return ExitCode.OK;
            }
            return goOn(probe, stop);
        }
    }

    private int goOn(Probe probe, StopSignal stop) throws IOException, InterruptedException {
        boolean isWell = true;
        while (!stop.requested()) {
            long nextNs = System.nanoTime() + every.toNanos();
            try {
                report(probe.roundTripMs());
                isWell = true;
            } catch (io.spillway.client.SpillwayException | io.spillway.broker.base.SpillwayException e) {
                report(ErrorLine.of(e).text());
                isWell = false;
            }
            stop.await(nextNs - System.nanoTime());
        }
        return isWell ? ExitCode.OK : ExitCode.FAILURE;
    }

    private void report(double ms) throws IOException {
        if (common.json()) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("language", language);
                json.writeBooleanField("ok", true);
                json.writeNumberField("round_trip_ms", Math.round(ms * 1_000) / 1_000.0);
                json.writeEndObject();
            });
        } else {
            console.line(language + " ok " + String.format(Locale.ROOT, "%.1f", ms) + " ms");
        }
    }

    private void report(String failure) throws IOException {
        if (common.json()) {
            console.json(json -> {
                json.writeStartObject();
                json.writeStringField("language", language);
                json.writeBooleanField("ok", false);
                json.writeStringField("error", failure);
                json.writeEndObject();
            });
        } else {
            console.line(language + " failed " + failure);
        }
    }

    static double ms(long ns) {
        return (double) ns / NS_PER_MS;
    }
}
