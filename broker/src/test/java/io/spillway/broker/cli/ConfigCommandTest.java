package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.config.Setting;
import io.spillway.broker.config.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigCommandTest {
    @TempDir
    private Path dir;

    @Test
    void showsEverySettingWithItsValueAndSource() throws IOException {
        Path file = Files.writeString(dir.resolve("spillway.yaml"), "log:\n  segment-bytes: 32768KiB\n");

        CommandRun run = CommandRun.of(
                "config", "show", "--config", file.toString(), "--listen", "[::1]:0", "--set", "shards=2");

        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).hasLineCount(Settings.ALL.size() + 1);
        assertThat(run.out())
                .containsPattern("(?m)^log\\.segment-bytes +32MiB +file \\Q" + file + "\\E:2$")
                .containsPattern("(?m)^listen +\\[::1]:0 +flag --listen$")
                .containsPattern("(?m)^shards +2 +flag --set$")
                .containsPattern("(?m)^http +127\\.0\\.0\\.1:7480 +default$");
    }

    @Test
    void showsOneJsonObjectPerSetting() throws IOException {
        CommandRun run = CommandRun.of("config", "show", "--output", "json", "--set", "drain-timeout-ms=2500");

        List<String> keys = new ArrayList<>();
        for (String line : run.out().lines().toList()) {
            JsonNode setting = new ObjectMapper().readTree(line);
            keys.add(setting.get("setting").asText());
            if (setting.get("setting").asText().equals("drain-timeout-ms")) {
                assertThat(setting.get("value").asText()).isEqualTo("2500ms");
                assertThat(setting.get("source").asText()).isEqualTo("flag");
                assertThat(setting.get("where").asText()).isEqualTo("--set");
                assertThat(setting.get("default").asText()).isEqualTo("8s");
            }
        }
        assertThat(keys)
                .containsExactlyElementsOf(
                        Settings.ALL.stream().map(Setting::key).toList());
    }

    @Test
    void aWrongSettingIsOneLine() {
        CommandRun run = CommandRun.of("config", "show", "--set", "shards=-1");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .isEqualTo(
                        "error: INVALID_ARGUMENT: setting shards is '-1' (from flag --set); cause: it must be a whole"
                                + " number from 0 to 64; next: correct it, or leave it out for the default 0"
                                + System.lineSeparator());
    }
}
