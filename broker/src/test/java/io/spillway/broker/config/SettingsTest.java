package io.spillway.broker.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class SettingsTest {
    @Test
    void keysAndVariablesAreUnique() {
        assertThat(Settings.ALL).extracting(Setting::key).doesNotHaveDuplicates();
        assertThat(Settings.ALL).extracting(Setting::environmentName).doesNotHaveDuplicates();
    }

    @Test
    void everyDocIsASentence() {
        assertThat(Settings.ALL).allSatisfy(setting -> assertThat(setting.doc()).matches("[A-Z][^|\n]*\\."));
    }

    /** Run with -Ddocs.rewrite=true to write the page anew, up to the settings of topics, which are written by hand. */
    @Test
    void theDocumentationIsMadeFromTheTable() throws IOException {
        Path page = Path.of(Objects.requireNonNull(System.getProperty("spillway.root")), "docs", "configuration.md");
        String text = Files.readString(page);
        int topics = text.indexOf("\n## Topics\n");
        if (Boolean.getBoolean("docs.rewrite")) {
            Files.writeString(page, documentation() + text.substring(topics));
        }

        assertThat(text.substring(0, topics)).isEqualTo(documentation());
    }

    private static String documentation() {
        StringBuilder page = new StringBuilder("""
                # Configuration

                Every setting has a default; a broker starts without any configuration. A value comes from, in rising order of
                precedence: the default, the file given with `--config` (YAML), the environment, a flag.

                ```
                file         log:                              or   log.segment-bytes: 32MiB
                               segment-bytes: 32MiB
                environment  SPILLWAY_LOG_SEGMENT_BYTES=32MiB
                flag         --set log.segment-bytes=32MiB     and  --data-dir, --listen, --http
                ```

                Sizes take `B`, `KiB`, `MiB`, `GiB` or `TiB`, durations `ms`, `s`, `m`, `h` or `d`; a number alone counts bytes or
                milliseconds. An unknown key and a value that is not allowed stop the broker with a message that says which key,
                what was found and what is allowed. `spillway config show` prints what is in effect and where it came from.

                | Setting | Default | Allowed | Meaning |
                |---|---|---|---|
                """);
        for (Setting<?> setting : Settings.ALL) {
            page.append("| `%s` | %s | %s | %s |%n"
                    .formatted(
                            setting.key(),
                            setting.defaultText().isEmpty() ? "(empty)" : "`" + setting.defaultText() + "`",
                            setting.type().allowed().replaceAll(" \\((?:B|ms), .*\\)", ""),
                            setting.doc()));
        }
        return page.toString();
    }
}
