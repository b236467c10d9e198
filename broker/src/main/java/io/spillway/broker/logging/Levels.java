package io.spillway.broker.logging;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Properties;
import org.slf4j.event.Level;

/** From which level on loggers write: what simplelogger.properties says, so that both formats have the same lines. */
final class Levels {
    private static final String FILE = "/simplelogger.properties";
    private static final String DEFAULT = "org.slf4j.simpleLogger.defaultLogLevel";
    private static final String OF_LOGGER = "org.slf4j.simpleLogger.log.";

    private final Properties properties;

    Levels(Properties properties) {
        this.properties = properties;
    }

    static Levels ofResources() {
        Properties properties = new Properties();
        try (InputStream in = Levels.class.getResourceAsStream(FILE)) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // As slf4j-simple takes them, too: -Dorg.slf4j.simpleLogger.defaultLogLevel=debug.
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.equals(DEFAULT) || name.startsWith(OF_LOGGER))
                .forEach(name -> properties.setProperty(name, System.getProperty(name)));
        return new Levels(properties);
    }

    /** That of the longest package it is in. */
    Level of(String logger) {
        for (String name = logger; !name.isEmpty(); name = name.substring(0, Math.max(0, name.lastIndexOf('.')))) {
            String level = properties.getProperty(OF_LOGGER + name);
            if (level != null) {
                return level(level);
            }
        }
        return level(properties.getProperty(DEFAULT, "info"));
    }

    private static Level level(String name) {
        return Level.valueOf(name.toUpperCase(Locale.ROOT));
    }
}
