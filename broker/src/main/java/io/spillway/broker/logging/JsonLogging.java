package io.spillway.broker.logging;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/** Makes slf4j, and what logs by java.util.logging, write JSON to standard error. Made by slf4j, by its name. */
public final class JsonLogging implements SLF4JServiceProvider {
    private static final String VERSION = "2.0.99";

    private final JsonLoggers loggers =
            new JsonLoggers(new JsonLines(new FileOutputStream(FileDescriptor.err)), Levels.ofResources());

    /** Has this process log so. Before its first logger is made. */
    public static void use() {
        System.setProperty("slf4j.provider", JsonLogging.class.getName());
        // It says which provider it was told to use, and would say so in plain text.
        System.setProperty("slf4j.internal.verbosity", "ERROR");
    }

    @Override
    public void initialize() {
        LogManager.getLogManager().reset();
        Logger.getLogger("").addHandler(new JdkLogHandler(loggers));
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return loggers;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return new BasicMarkerFactory();
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return new NOPMDCAdapter();
    }

    @Override
    public String getRequestedApiVersion() {
        return VERSION;
    }
}
