package io.spillway.broker.cli;

import io.spillway.broker.Broker;
import io.spillway.broker.BrokerConfig;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Settings;
import io.spillway.broker.logging.JsonLogging;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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
    @Mixin
    private SettingOptions settings = new SettingOptions();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        EffectiveSettings effective = settings.load(System.getenv());
        boolean isJson = effective.get(Settings.LOGGING_FORMAT).equals("json");
        if (isJson) {
            JsonLogging.use();
        }
        Broker broker;
        try {
            broker = Broker.start(BrokerConfig.of(effective));
        } catch (SpillwayException e) {
            if (!isJson) {
                throw e;
            }
            LoggerFactory.getLogger(ServeCommand.class).error("event=not_started", e);
            return ExitCode.of(e.code());
        }
        return run(broker);
    }

    private int run(Broker broker) throws InterruptedException {
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

    private static String text(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }
}
