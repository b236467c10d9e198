package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasHelpWithItsNameAndTheExitCodes(String command) {
        CommandRun run = CommandRun.of((command + " --help").split(" "));

        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).startsWith("Usage: spillway").contains(command).contains("Exit codes:");
        assertThat(run.err()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandSaysItsVersion(String command) {
        CommandRun run = CommandRun.of((command + " --version").split(" "));

        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).startsWith("spillway ").hasLineCount(1);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void theManualNamesEveryCommand(String command) throws IOException {
        String manual = Files.readString(Path.of(System.getProperty("spillway.root", ".."), "docs", "cli.md"));

        assertThat(manual).contains("spillway " + command);
    }

    static List<String> commands() {
        CommandLine root = SpillwayCommand.commandLine(Console.ofProcess());
        List<String> names = new ArrayList<>();
        addLeaves(root, "", names);
        return names;
    }

    private static void addLeaves(CommandLine command, String prefix, List<String> names) {
        if (command.getSubcommands().isEmpty()) {
            names.add(prefix.strip());
        }
        command.getSubcommands().forEach((name, sub) -> addLeaves(sub, prefix + " " + name, names));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "topic",
                "topic lst",
                "topic create",
                "topic create t --partitions 0",
                "topic create t --partitions -3",
                "topic create t --partitions many",
                "topic create t --config retention",
                "topic create t --durability paper",
                "topic alter t",
                "topic delete t",
                "topic purge t",
                "topic purge t --before latest",
                "topic purge t --before middle --yes",
                "topic list --timeout soon",
                "topic list --output xml",
                "publish",
                "publish t --rate 0",
                "publish t --partition -1",
                "publish t --deadline 0s",
                "publish t --key a --key-regex (b)",
                "publish t --key-regex (",
                "publish t --key-regex b",
                "publish t --idempotency-key a --idempotency-key-regex (b)",
                "consume t",
                "consume t --from middle",
                "consume t --from earliest --lease 5s",
                "consume t --group g --count 0",
                "consume t --group g --max-unacked 0",
                "consume t --group g --mode stream",
                "consume t --group g --mode ordered",
                "consume t --from earliest --mode exclusive",
                "consume t --from earliest --filter has(a)",
                "consume t --from earliest --setting max.inflight=1",
                "consume t --from earliest --retry-backoff 1s",
                "cluster",
                "cluster status --http here",
                "cluster status --endpoint 127.0.0.1:7400",
                "cluster remove-node",
                "cluster add-node n4 --zone d",
                "group seek t g",
                "group seek t g --to offset:1",
                "log verify",
                "log dump . --limit 0",
                "bench produce --producers 0",
                "bench latency --size 8",
                "bench latency --rate 0"
            })
    void wrongUsageIsOneLineAndExitsWithTwo(String command) {
        CommandRun run = CommandRun.of(command.isEmpty() ? new String[0] : command.split(" "));

        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err())
                .startsWith("error: USAGE: ")
                .contains("; cause: ")
                .contains("; next: ")
                .hasLineCount(1);
        assertThat(run.out()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "topic list",
                "topic create t",
                "topic describe t",
                "topic alter t --config durability=mapped",
                "topic delete t --yes",
                "topic purge t --before latest --yes",
                "publish t",
                "consume t --from earliest",
                "consume t --group g",
                "group list",
                "group describe t g",
                "group seek t g --to latest",
                "group delete t g",
                "bench produce",
                "bench consume",
                "bench latency"
            })
    void anUnreachableBrokerIsOneLineAndExitsWithThree(String command) throws IOException {
        String endpoint = "127.0.0.1:" + closedPort();

        CommandRun run = CommandRun.of((command + " --endpoint " + endpoint).split(" "));

        assertThat(run.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(run.err())
                .startsWith("error: CONNECT_FAILED: ")
                .contains(endpoint)
                .contains("; next: ")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster status", "cluster zones", "cluster remove-node n1", "cluster transfer-leader n1"})
    void anUnreachableNodeIsOneLineAndExitsWithThree(String command) throws IOException {
        String address = "127.0.0.1:" + closedPort();

        CommandRun run = CommandRun.of((command + " --http " + address).split(" "));

        assertThat(run.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(run.err())
                .startsWith("error: CONNECT_FAILED: ")
                .contains(address)
                .contains("; next: ")
                .hasLineCount(1);
    }

    @Test
    void aStackTraceComesWithVerboseOnly() throws IOException {
        String endpoint = "127.0.0.1:" + closedPort();

        CommandRun run = CommandRun.of("topic", "list", "--endpoint", endpoint, "--verbose");

        assertThat(run.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(run.err()).startsWith("error: CONNECT_FAILED: ").contains("\n\tat io.spillway.");
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        CommandRun run = CommandRun.of("publish", "t", "--file", "no/such/file.txt");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err())
                .startsWith("error: IO_ERROR: ")
                .contains("no/such/file.txt")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({
        "CONNECT_FAILED, 3",
        "CONNECTION_LOST, 3",
        "BREAKER_OPEN, 3",
        "OUTCOME_UNKNOWN, 3",
        "ATTEMPT_TIMEOUT, 3",
        "DEADLINE_EXCEEDED, 3",
        "TOPIC_NOT_FOUND, 4",
        "GROUP_NOT_FOUND, 4",
        "THROTTLED, 5",
        "OVERLOADED, 5",
        "READ_ONLY, 5",
        "QUEUE_FULL, 5",
        "DRAINING, 5",
        "INVALID_ARGUMENT, 1",
        "ALREADY_EXISTS, 1",
        "INTERNAL, 1"
    })
    void exitCodesFollowTheRegistry(Code code, int exitCode) {
        ErrorLine line = ErrorLine.of(new SpillwayException(code, "it failed", "a reason", "a step"));

        assertThat(line.exitCode()).isEqualTo(exitCode);
        assertThat(line.text()).isEqualTo("error: " + code + ": it failed; cause: a reason; next: a step");
    }

    @Test
    void anErrorStaysOnOneLine() {
        ErrorLine line = ErrorLine.of(new SpillwayException(Code.INTERNAL, "one\ntwo", "three\r\n  four", "five\n"));

        assertThat(line.text()).isEqualTo("error: INTERNAL: one two; cause: three four; next: five");
    }

    /** A port that was free a moment ago; nothing listens there. */
    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    static Stream<Throwable> unforeseen() {
        return Stream.of(new IllegalStateException("odd"), new Error("odd"));
    }

    @ParameterizedTest
    @MethodSource("unforeseen")
    void anUnforeseenErrorSaysSo(Throwable error) {
        ErrorLine line = ErrorLine.of(error);

        assertThat(line.text()).startsWith("error: INTERNAL: ").contains("odd").contains("--verbose");
        assertThat(line.exitCode()).isEqualTo(ExitCode.FAILURE);
    }
}
