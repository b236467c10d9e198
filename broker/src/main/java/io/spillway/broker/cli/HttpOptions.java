package io.spillway.broker.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of commands that talk to the HTTP side of a broker. */
final class HttpOptions {
    @Option(
            names = "--http",
            split = ",",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:7480",
            description =
                    "The http address of a node, or of several, separated by commas: the next one is asked when one "
                            + "cannot be reached. Default: 127.0.0.1:7480.")
    private List<String> addresses = new ArrayList<>();

    @Mixin
    private SecurityOptions security = new SecurityOptions();

    @Option(names = "--output", paramLabel = "FORMAT", description = "text or json. Default: text.")
    private OutputFormat output = OutputFormat.TEXT;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            description =
                    "How long to wait for an answer, or for a change to be in effect. Default: 10s, 30s for a change.")
    private @Nullable Duration timeout;

    HttpAccess access() {
        return security.http();
    }

    AdminClient client() {
        return new AdminClient(addresses, security.http());
    }

    boolean json() {
        return output == OutputFormat.JSON;
    }

    Duration timeout(Duration otherwise) {
        return timeout == null ? otherwise : timeout;
    }
}
