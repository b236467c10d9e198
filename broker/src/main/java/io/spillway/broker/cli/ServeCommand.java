package io.spillway.broker.cli;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Settings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs a broker until it is told to stop. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = {
            "Run a broker.",
            "Prints one line when it is ready; SIGTERM drains and ends it within 10 s. "
                    + "Settings come from defaults, then --config, then SPILLWAY_... variables, then flags."
        })
final class ServeCommand implements Callable<Integer> {
    @Option(names = "--config", paramLabel = "FILE", description = "YAML file with settings.")
    private @Nullable Path file;

    @Option(names = "--data-dir", paramLabel = "DIR", description = "Directory of everything the broker keeps.")
    private @Nullable String dataDir;

    @Option(names = "--listen", paramLabel = "HOST:PORT", description = "Address of the wire protocol; port 0 = any.")
    private @Nullable String listen;

    @Option(names = "--http", paramLabel = "HOST:PORT", description = "Address of /livez, /readyz, /metrics.")
    private @Nullable String http;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any setting, for instance --set log.segment-bytes=16MiB; see config show.")
    private List<String> settings = new ArrayList<>();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        Broker broker = Broker.start(BrokerConfig.of(load()));
        CountDownLatch stopped = new CountDownLatch(1);
        // The exit code after a signal is the JVM's; halting with our own says whether the stop was clean.
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            boolean clean = broker.stop();
                            stopped.countDown();
                            Runtime.getRuntime().halt(clean ? 0 : 1);
                        },
                        "spillway-stop"));
        spec.commandLine()
                .getOut()
                .printf(
                        "spillway ready node=%s wire=%s http=%s%n",
                        broker.nodeId(), text(broker.wireAddress()), text(broker.httpAddress()));
        spec.commandLine().getOut().flush();
        stopped.await();
        return 0;
    }

    private EffectiveSettings load() {
        ConfigLoader loader = new ConfigLoader();
        if (file != null) {
            loader.file(file);
        }
        loader.environment(System.getenv()).assignments(settings);
        if (dataDir != null) {
            loader.flag("--data-dir", Settings.DATA_DIR, dataDir);
        }
        if (listen != null) {
            loader.flag("--listen", Settings.LISTEN, listen);
        }
        if (http != null) {
            loader.flag("--http", Settings.HTTP, http);
        }
        return loader.load();
    }

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }
}
