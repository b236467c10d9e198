package io.spillway.broker.logging;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.ILoggerFactory;

/** A logger for each name. Thread-safe. */
final class JsonLoggers implements ILoggerFactory {
    private final ConcurrentMap<String, JsonLogger> byName = new ConcurrentHashMap<>();
    private final JsonLines lines;
    private final Levels levels;

    JsonLoggers(JsonLines lines, Levels levels) {
        this.lines = lines;
        this.levels = levels;
    }

    @Override
    public JsonLogger getLogger(String name) {
        return byName.computeIfAbsent(name, each -> new JsonLogger(each, levels.of(each), lines));
    }
}
