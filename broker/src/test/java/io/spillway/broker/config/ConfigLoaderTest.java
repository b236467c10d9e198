package io.spillway.broker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigLoaderTest {
    @TempDir
    private Path dir;

    @Test
    void everyDefaultIsAllowedAndKnowsThatItIsOne() {
        EffectiveSettings settings = new ConfigLoader().load();

        assertThat(Settings.ALL).allSatisfy(setting -> {
            assertThat(settings.origin(setting)).isEqualTo(Origin.DEFAULT);
            assertThat(settings.text(setting))
                    .isEqualTo(setting == Settings.DATA_DIR ? Path.of("./data").toString() : setting.defaultText());
        });
    }

    @Test
    void laterSourcesWin() throws IOException {
        Path file = file("shards: 1\nio-threads: 1\nhttp: localhost:1\nnode-id: from-file\n");
        Map<String, String> environment = Map.of(
                "SPILLWAY_IO_THREADS", "2", "SPILLWAY_HTTP", "localhost:2", "SPILLWAY_NODE_ID", "from-environment");

        EffectiveSettings settings = new ConfigLoader()
                .file(file)
                .environment(environment)
                .assignments(List.of("http=localhost:3", "node-id=from-set"))
                .flag("--node-id", Settings.NODE_ID, "from-flag")
                .load();

        assertThat(settings.get(Settings.SHARDS)).isEqualTo(1);
        assertThat(settings.origin(Settings.SHARDS)).hasToString("file " + file + ":1");
        assertThat(settings.get(Settings.IO_THREADS)).isEqualTo(2);
        assertThat(settings.origin(Settings.IO_THREADS)).hasToString("environment SPILLWAY_IO_THREADS");
        assertThat(settings.get(Settings.HTTP)).hasToString("localhost:3");
        assertThat(settings.origin(Settings.HTTP)).hasToString("flag --set");
        assertThat(settings.get(Settings.NODE_ID)).isEqualTo("from-flag");
        assertThat(settings.origin(Settings.NODE_ID)).hasToString("flag --node-id");
        assertThat(settings.origin(Settings.LISTEN)).hasToString("default");
    }

    @Test
    void readsNestedAndDottedKeysAlike() throws IOException {
        Path file = file("""
                # a comment
                log:
                  segment-bytes: 32MiB
                  min-free-bytes: 1048576
                group.default-lease-ms: 2m
                topics: {auto-create: true}
                listen: "[::1]:7000"
                """);

        EffectiveSettings settings = new ConfigLoader().file(file).load();

        assertThat(settings.get(Settings.LOG_SEGMENT_BYTES)).isEqualTo(32L << 20);
        assertThat(settings.get(Settings.LOG_MIN_FREE_BYTES)).isEqualTo(1L << 20);
        assertThat(settings.get(Settings.GROUP_DEFAULT_LEASE_MS)).isEqualTo(120_000);
        assertThat(settings.get(Settings.TOPICS_AUTO_CREATE)).isTrue();
        assertThat(settings.get(Settings.LISTEN).host()).isEqualTo("::1");
        assertThat(settings.get(Settings.LISTEN).port()).isEqualTo(7000);
    }

    @Test
    void anEmptyFileSetsNothing() throws IOException {
        EffectiveSettings settings =
                new ConfigLoader().file(file("# nothing\n")).load();

        assertThat(settings.origin(Settings.SHARDS)).isEqualTo(Origin.DEFAULT);
    }

    @Test
    void anUnknownKeyOfTheFileNamesTheNearest() throws IOException {
        Path file = file("log:\n  segment-byte: 1GiB\n");

        assertRefused(() -> new ConfigLoader().file(file))
                .hasToString("INVALID_ARGUMENT: unknown setting log.segment-byte (from file " + file
                        + ":2); cause: there is none of that name; the nearest is log.segment-bytes;"
                        + " next: correct or remove it; 'spillway config show' prints all settings");
    }

    @Test
    void anUnknownVariableNamesTheNearest() {
        assertRefused(() -> new ConfigLoader().environment(Map.of("SPILLWAY_SHARD", "2")))
                .hasToString(
                        "INVALID_ARGUMENT: unknown environment variable SPILLWAY_SHARD; cause: there is none of that"
                                + " name; the nearest is SPILLWAY_SHARDS; next: correct or remove it; 'spillway config show'"
                                + " prints all settings");
    }

    @Test
    void aKeyLikeNoOtherNamesNone() {
        assertRefused(() -> new ConfigLoader().assignments(List.of("quux=1")))
                .hasMessage("unknown setting quux (from flag --set)")
                .asString()
                .contains("cause: there is none of that name; next:");
    }

    @Test
    void variablesOfOthersAreLeftAlone() {
        Map<String, String> variables = Map.of(
                "PATH", "/bin",
                "SPILLWAY_ENDPOINTS", "a:1",
                "SPILLWAY_JAVA_OPTS", "-Xmx1g",
                "SPILLWAY_SERVICE_HOST", "10.0.0.1",
                "SPILLWAY_SERVICE_PORT_WIRE", "7400",
                "SPILLWAY_PORT", "tcp://10.0.0.1:7400",
                "SPILLWAY_PORT_7400_TCP_ADDR", "10.0.0.1",
                "SPILLWAY_HTTP_SERVICE_HOST", "10.0.0.2",
                "SPILLWAY_HTTP_PORT_7480_TCP", "tcp://10.0.0.2:7480");

        EffectiveSettings settings = new ConfigLoader().environment(variables).load();

        assertThat(Settings.ALL)
                .allSatisfy(setting -> assertThat(settings.origin(setting)).isEqualTo(Origin.DEFAULT));
    }

    @Test
    void aValueThatIsNotAllowedSaysWhichKeyWhatWasFoundAndWhatIsAllowed() {
        assertRefused(() -> new ConfigLoader().environment(Map.of("SPILLWAY_LOG_SEGMENT_BYTES", "64MB")))
                .hasToString("INVALID_ARGUMENT: setting log.segment-bytes is '64MB' (from environment"
                        + " SPILLWAY_LOG_SEGMENT_BYTES); cause: it must be a size from 2MiB to 1GiB (B, KiB, MiB, GiB,"
                        + " TiB; a number alone is bytes); next: correct it, or leave it out for the default 64MiB");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "group.default-max-deliveries=1001",
                "shards=-1",
                "shards=65",
                "shards=two",
                "shards=1.5",
                "shards=99999999999999999999",
                "log.segment-bytes=1MiB",
                "log.segment-bytes=2GiB",
                "log.segment-bytes=-64MiB",
                "log.min-free-bytes=9223372036854775807TiB",
                "log.min-free-bytes=99999999999999TiB",
                "group.default-lease-ms=999",
                "group.default-lease-ms=5 minutes",
                "topics.auto-create=yes",
                "topics.default-durability=SYNCED",
                "listen=7400",
                "listen=localhost",
                "listen=localhost:65536",
                "listen=:7400",
                "listen=::1:7400",
                "node-id=a b",
                "data-dir="
            })
    void refuses(String assignment) {
        String key = assignment.substring(0, assignment.indexOf('='));
        String text = assignment.substring(assignment.indexOf('=') + 1);

        assertRefused(() -> new ConfigLoader().assignments(List.of(assignment)))
                .hasMessage("setting " + key + " is '" + text + "' (from flag --set)")
                .asString()
                .contains("; cause: it must be ", "; next: correct it, or leave it out for the default ");
    }

    @Test
    void aWrongValueIsRefusedThoughALaterSourceReplacesIt() throws IOException {
        Path file = file("shards: many\n");

        assertRefused(() -> new ConfigLoader().file(file).assignments(List.of("shards=2")))
                .hasMessage("setting shards is 'many' (from file " + file + ":1)");
    }

    @Test
    void anAssignmentWithoutEqualsSignIsRefused() {
        assertRefused(() -> new ConfigLoader().assignments(List.of("shards")))
                .hasToString("INVALID_ARGUMENT: 'shards' sets nothing; cause: --set takes KEY=VALUE;"
                        + " next: write for instance --set log.segment-bytes=64MiB");
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        Path file = dir.resolve("missing.yaml");

        assertRefused(() -> new ConfigLoader().file(file))
                .hasToString("INVALID_ARGUMENT: cannot read the configuration file " + file
                        + "; cause: NoSuchFileException: " + file
                        + "; next: give the path of a readable file with --config");
    }

    @Test
    void aFileThatIsNotTextIsNamed() throws IOException {
        Path file = dir.resolve("binary.yaml");
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});

        assertRefused(() -> new ConfigLoader().file(file))
                .hasMessage("the configuration file " + file + " is not YAML");
    }

    @ParameterizedTest
    @ValueSource(strings = {"shards: [1\n", "\tshards: 1\n", "shards: 1\n  listen: 2\n", "a: 1\n---\nb: 2\n"})
    void aFileThatIsNotYamlIsNamedWithItsLine(String text) throws IOException {
        Path file = file(text);

        assertRefused(() -> new ConfigLoader().file(file))
                .hasMessageMatching("the configuration file \\Q" + file + "\\E:\\d+ is not YAML")
                .asString()
                .doesNotContain("\n");
    }

    @Test
    void aFileThatIsNoMappingIsRefused() throws IOException {
        Path file = file("- shards\n");

        assertRefused(() -> new ConfigLoader().file(file))
                .hasMessage("the configuration file is wrong at " + file + ":1")
                .asString()
                .contains("it is not a mapping of keys to values");
    }

    @Test
    void aListIsNoValue() throws IOException {
        Path file = file("shards:\n  - 1\n");

        assertRefused(() -> new ConfigLoader().file(file)).asString().contains("the value of shards is a list");
    }

    @Test
    void aKeyThatStandsTwiceIsRefused() throws IOException {
        Path file = file("log.segment-bytes: 16MiB\nlog:\n  segment-bytes: 32MiB\n");

        assertRefused(() -> new ConfigLoader().file(file))
                .hasToString(
                        "INVALID_ARGUMENT: setting log.segment-bytes stands twice in the configuration file; cause:"
                                + " it is at " + file + ":1 and at " + file + ":3; next: remove one of them");
    }

    private Path file(String text) throws IOException {
        return Files.writeString(dir.resolve("spillway.yaml"), text, StandardCharsets.UTF_8);
    }

    private static org.assertj.core.api.AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
            ThrowingCallable load) {
        return assertThatThrownBy(load)
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.code()).isEqualTo(Code.INVALID_ARGUMENT));
    }
}
