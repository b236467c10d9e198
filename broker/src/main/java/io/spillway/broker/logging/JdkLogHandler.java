package io.spillway.broker.logging;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.event.Level;

/** Takes what libraries log by java.util.logging, gRPC for instance. Thread-safe. */
final class JdkLogHandler extends Handler {
    private final JsonLoggers loggers;
    private final SimpleFormatter texts = new SimpleFormatter();

    JdkLogHandler(JsonLoggers loggers) {
        this.loggers = loggers;
    }

    @Override
    public void publish(LogRecord record) {
        String name = record.getLoggerName() == null ? "jdk" : record.getLoggerName();
        JsonLogger logger = loggers.getLogger(name);
        Level level = level(record.getLevel().intValue());
        if (logger.writes(level)) {
            LogFacts facts = LogFacts.of("{}", new Object[] {texts.formatMessage(record)}, record.getThrown());
            logger.write(level, facts);
        }
    }

    private static Level level(int value) {
        if (value >= java.util.logging.Level.SEVERE.intValue()) {
            return Level.ERROR;
        }
        if (value >= java.util.logging.Level.WARNING.intValue()) {
            return Level.WARN;
        }
        return value >= java.util.logging.Level.INFO.intValue() ? Level.INFO : Level.DEBUG;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
