package io.spillway.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.system.BrokerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A broker that one scenario at a time may harm. Confined to the scenario's thread. */
final class OwnBroker implements AutoCloseable {
    private enum State {
        RUNNING,
        PAUSED,
        DOWN
    }

    final Map<String, String> settings;
    private final BrokerProcess process;
    private State state = State.RUNNING;

    OwnBroker(Path directory, Map<String, String> settings) {
        this.settings = settings;
        process = BrokerProcess.start(
                directory,
                settings.entrySet().stream()
                        .map(setting -> setting.getKey() + "=" + setting.getValue())
                        .toArray(String[]::new));
    }

    BrokerProcess process() {
        return process;
    }

    void operate(String operation) throws IOException, InterruptedException {
        switch (operation) {
            case "kill" -> {
                process.kill9();
                state = State.DOWN;
            }
            case "start" -> {
                process.start();
                state = State.RUNNING;
            }
            case "terminate" -> process.signal("TERM");
            case "stop", "await_end" -> {
                assertThat(process.terminate()).as("exit code after SIGTERM").isZero();
                state = State.DOWN;
            }
            case "pause" -> {
                process.signal("STOP");
                state = State.PAUSED;
            }
            case "resume" -> {
                process.signal("CONT");
                state = State.RUNNING;
            }
            default -> throw new IllegalArgumentException("unknown broker operation " + operation);
        }
    }

    /** Makes it run, whatever the last scenario left of it. */
    void mend() throws IOException, InterruptedException {
        if (state == State.PAUSED) {
            operate("resume");
        } else if (state == State.DOWN) {
            operate("start");
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
