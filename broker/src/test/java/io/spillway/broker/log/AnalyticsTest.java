package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chronicle's telemetry is not only switched off: it is not here. */
class AnalyticsTest {
    @TempDir
    Path directory;

    @Test
    void isNotOnTheClassPath() {
        assertThatThrownBy(() -> Class.forName("net.openhft.chronicle.analytics.Analytics"))
                .isInstanceOf(ClassNotFoundException.class);
        assertThat(System.getProperty("java.class.path")).doesNotContain("chronicle-analytics");
    }

    @Test
    void leavesNoClientIdAndIsSwitchedOff() {
        Path clientId = Path.of(System.getProperty("user.home"), ".chronicle.analytics.client.id");
        boolean before = Files.exists(clientId);

        try (LogFixture fixture = new LogFixture(directory)) {
            fixture.append(1, 1, 1);
        }

        assertThat(Files.exists(clientId)).isEqualTo(before);
        assertThat(System.getProperty("chronicle.analytics.disable")).isEqualTo("true");
    }
}
