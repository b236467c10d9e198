package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class RecordOptionsTest {
    @Test
    void takesKeysFromTheRecordLineByLine() {
        RecordOptions.Template template =
                template("--key-regex", "^Package: (.*)$", "--idempotency-key-regex", "id=(\\d+)");
        byte[] record = "Version: 1\nPackage: zlib\nid=17".getBytes(StandardCharsets.UTF_8);

        assertThat(template.key(record)).isEqualTo("zlib");
        assertThat(template.idempotencyKey(record, 5)).isEqualTo("17");
    }

    @Test
    void aRecordThatDoesNotMatchHasNoKey() {
        RecordOptions.Template template = template("--key-regex", "^Package: (.*)$");

        assertThat(template.key(new byte[] {'x'})).isNull();
        assertThat(template.idempotencyKey(new byte[] {'x'}, 1)).isNull();
    }

    @Test
    void numbersIdempotencyKeys() {
        RecordOptions.Template template = template("--key", "k", "--idempotency-key", "run-7-{line}");

        assertThat(template.key(new byte[0])).isEqualTo("k");
        assertThat(template.idempotencyKey(new byte[0], 42)).isEqualTo("run-7-42");
    }

    private static RecordOptions.Template template(String... args) {
        return CommandLine.populateCommand(new RecordOptions(), args).template();
    }
}
