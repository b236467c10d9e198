package io.spillway.broker.logging;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

final class JsonLoggingTest {
    private static final SpillwayException FULL =
            new SpillwayException(Code.READ_ONLY, "nothing can be published", "the disk is full", "free disk space");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Clock clock = new Clock() {
        @Override
        public long nowMs() {
            return 1_700_000_000_123L;
        }

        @Override
        public long nanoTime() {
            return 0;
        }
    };
    private final Properties properties = new Properties();
    private final JsonLoggers loggers = new JsonLoggers(new JsonLines(out, clock), new Levels(properties));
    private final Logger log = loggers.getLogger("io.spillway.broker.shard.Settling");

    /** The only line, which must be one. */
    private JsonNode line() throws IOException {
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(1);
        return new ObjectMapper().readTree(lines.get(0));
    }

    @Test
    void aLineHasAFieldForEachFact() throws IOException {
        log.warn("event=group_paused topic={} left={} why=\"{} of {}\" next=\"spillway {}\"", "orders", 7, 5, 6, "x y");

        JsonNode line = line();
        assertThat(line.path("ts").asText()).isEqualTo("2023-11-14T22:13:20.123Z");
        assertThat(line.path("level").asText()).isEqualTo("WARN");
        assertThat(line.path("logger").asText()).isEqualTo("io.spillway.broker.shard.Settling");
        assertThat(line.path("thread").asText())
                .isEqualTo(Thread.currentThread().getName());
        assertThat(line.path("message").asText())
                .isEqualTo("event=group_paused topic=orders left=7 why=\"5 of 6\" next=\"spillway x y\"");
        assertThat(line.path("event").asText()).isEqualTo("group_paused");
        assertThat(line.path("what").asText()).isEqualTo("group paused");
        assertThat(line.path("topic").asText()).isEqualTo("orders");
        assertThat(line.path("left").isTextual())
                .as("of one type wherever it is")
                .isTrue();
        assertThat(line.path("why").asText()).isEqualTo("5 of 6");
        assertThat(line.path("next").asText()).isEqualTo("spillway x y");
    }

    @Test
    void aValueMayHoldAnything() throws IOException {
        String hostile = "a\" next=\"rm -rf\nlevel=ERROR \u0000 {}";
        log.warn("event=denied who=\"{}\" next=\"look\"", hostile);

        assertThat(line().path("who").asText()).isEqualTo(hostile);
        assertThat(line().path("next").asText()).isEqualTo("look");
    }

    @Test
    void anExceptionSaysWhatWhyAndWhatNext() throws IOException {
        log.error("event=shard_failed shard={}", 3, new IllegalStateException("wrapped", FULL));

        JsonNode line = line();
        assertThat(line.path("code").asText()).isEqualTo("READ_ONLY");
        assertThat(line.path("what").asText()).isEqualTo("nothing can be published");
        assertThat(line.path("why").asText()).isEqualTo("the disk is full");
        assertThat(line.path("next").asText()).isEqualTo("free disk space");
        assertThat(line.path("exception").asText())
                .startsWith("java.lang.IllegalStateException: wrapped\n\tat io.spillway.")
                .contains("\nCaused by: READ_ONLY: nothing can be published");
    }

    @Test
    void anErrorThatIsLoggedAsALineSaysTheSame() throws IOException {
        log.error("event=settles_unwritten shard={} {}", 0, FULL.toString());

        assertThat(line().path("code").asText()).isEqualTo("READ_ONLY");
        assertThat(line().path("why").asText()).isEqualTo("the disk is full");
        assertThat(line().path("next").asText()).isEqualTo("free disk space");
    }

    @Test
    void whatIsNotKnownIsLeftOut() throws IOException {
        log.warn("event=dead_letter trace_id={} why=\"x\" next=\"y\"", "");

        assertThat(line().has("trace_id")).isFalse();
    }

    @Test
    void aFactNamedLikeAFieldOfAllLinesStandsBesideIt() throws IOException {
        log.info("event=x level={}", 4);

        assertThat(line().path("level").asText()).isEqualTo("INFO");
        assertThat(line().path("level_").asText()).isEqualTo("4");
    }

    @Test
    void aLineOfALibraryIsItsOwnWhat() throws IOException {
        loggers.getLogger("org.apache.Some").warn("Something {} happened", "odd");

        assertThat(line().path("what").asText()).isEqualTo("Something odd happened");
    }

    @Test
    void librariesThatLogByTheJdkLogHere() throws IOException {
        LogRecord record = new LogRecord(java.util.logging.Level.WARNING, "port {0} is odd");
        record.setLoggerName("org.apache.grpc");
        record.setParameters(new Object[] {"7"});
        new JdkLogHandler(loggers).publish(record);

        assertThat(line().path("level").asText()).isEqualTo("WARN");
        assertThat(line().path("message").asText()).isEqualTo("port 7 is odd");
    }

    @Test
    void theLongestPackageNameSaysWhatIsWritten() {
        properties.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
        properties.setProperty("org.slf4j.simpleLogger.log.org.apache.ratis", "warn");
        properties.setProperty("org.slf4j.simpleLogger.log.org.apache.ratis.grpc", "error");

        assertThat(loggers.getLogger("io.x").isInfoEnabled()).isTrue();
        assertThat(loggers.getLogger("io.x").isDebugEnabled()).isFalse();
        assertThat(loggers.getLogger("org.apache.ratis.server.X").isInfoEnabled())
                .isFalse();
        assertThat(loggers.getLogger("org.apache.ratis.server.X").isWarnEnabled())
                .isTrue();
        assertThat(loggers.getLogger("org.apache.ratis.grpc.X").isWarnEnabled()).isFalse();
        assertThat(loggers.getLogger("org.apache.ratis.grpc.X").isErrorEnabled())
                .isTrue();
    }
}
