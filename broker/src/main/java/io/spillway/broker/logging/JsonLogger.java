package io.spillway.broker.logging;

import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;

/** A logger that writes JSON. Thread-safe. */
final class JsonLogger extends LegacyAbstractLogger {
    private final Level from;
    private final transient JsonLines lines;

    JsonLogger(String name, Level from, JsonLines lines) {
        this.name = name;
        this.from = from;
        this.lines = lines;
    }

    boolean writes(Level level) {
        return level.toInt() >= from.toInt();
    }

    void write(Level level, LogFacts facts) {
        lines.write(level, name, facts);
    }

    @Override
    public boolean isTraceEnabled() {
        return writes(Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return writes(Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return writes(Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return writes(Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return writes(Level.ERROR);
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            @Nullable String pattern,
            Object @Nullable [] arguments,
            @Nullable Throwable throwable) {
        Object[] given = arguments == null ? new Object[0] : arguments;
        write(level, LogFacts.of(pattern == null ? "" : pattern, given, throwable));
    }
}
