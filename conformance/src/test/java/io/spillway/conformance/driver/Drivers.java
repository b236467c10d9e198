package io.spillway.conformance.driver;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The drivers of a run: builds and starts each language's one when it is there, and says why where it is not. */
public final class Drivers implements AutoCloseable {
    private static final long BUILD_MINUTES = 15;

    private final Map<String, DriverProcess> running = new LinkedHashMap<>();
    private final Map<String, String> missing = new HashMap<>();
    private final Map<String, String> broken = new HashMap<>();

    /** @param logs a directory for what they write to standard error */
    public static Drivers start(List<Language> languages, Path logs) throws IOException, InterruptedException {
        Drivers drivers = new Drivers();
        for (Language language : languages) {
            drivers.tryStart(language, logs);
        }
        return drivers;
    }

    private void tryStart(Language language, Path logs) throws IOException, InterruptedException {
        if (!Files.exists(language.source())) {
            missing.put(language.name(), "there is no " + language.source());
            return;
        }
        if (!language.build().isEmpty()) {
            String tool = language.build().get(0);
            if (!isOnPath(tool)) {
                missing.put(language.name(), "its build needs " + tool + ", which is not on this machine");
                return;
            }
            Path log = logs.resolve(language + "-build.log");
            Process build = new ProcessBuilder(language.build())
                    .directory(language.directory().toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            if (!build.waitFor(BUILD_MINUTES, TimeUnit.MINUTES)) {
                build.destroyForcibly();
                broken.put(language.name(), "it is not built after " + BUILD_MINUTES + " minutes: " + read(log));
                return;
            }
            if (build.exitValue() != 0) {
                broken.put(language.name(), "it does not build: " + read(log));
                return;
            }
        }
        running.put(language.name(), DriverProcess.start(language.command(), logs.resolve(language + ".err")));
    }

    private static String read(Path log) throws IOException {
        return Files.readString(log, StandardCharsets.ISO_8859_1);
    }

    private static boolean isOnPath(String tool) {
        String path = System.getenv().getOrDefault("PATH", "");
        return List.of(path.split(File.pathSeparator)).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
    }

    /** Throws when the language's driver is missing. */
    public DriverProcess of(String language) {
        DriverProcess driver = running.get(language);
        if (driver == null) {
            throw new IllegalStateException(whyMissing(language));
        }
        return driver;
    }

    public boolean has(String language) {
        return running.containsKey(language);
    }

    /** Whether it is there but does not build, which is an error whether or not the language was asked for. */
    public boolean isBroken(String language) {
        return broken.containsKey(language);
    }

    public String whyMissing(String language) {
        String why = missing.getOrDefault(language, broken.get(language));
        return "no driver for " + language + ": " + (why == null ? "it is not in drivers.yaml" : why);
    }

    public Map<String, DriverProcess> running() {
        return running;
    }

    @Override
    public void close() {
        running.values().forEach(DriverProcess::close);
    }
}
