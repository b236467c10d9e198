package io.spillway.chaos.clients;

import io.spillway.conformance.driver.Language;
import io.spillway.conformance.driver.Languages;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The drivers of conformance/DRIVER.md: what puts each client library behind standard input and output. */
public final class Programs {
    private static final long BUILD_MINUTES = 15;

    private Programs() {}

    /**
     * Builds them. A language whose tools are not on this machine is left out.
     *
     * @param names the languages that are wanted; empty = all
     */
    public static List<Language> build(Path root, List<String> names, Path logs)
            throws IOException, InterruptedException {
        List<Language> built = new ArrayList<>();
        for (Language language : Languages.load(root)) {
            if (!names.isEmpty() && !names.contains(language.name())) {
                continue;
            }
            if (language.build().isEmpty() || isBuilt(language)) {
                built.add(language);
            } else if (isOnPath(language.build().get(0))) {
                build(language, logs.resolve(language + "-build.log"));
                built.add(language);
            } else if (!names.isEmpty()) {
                throw new IllegalStateException("the driver of " + language + " needs "
                        + language.build().get(0) + ", which is not here");
            }
        }
        return built;
    }

    /** Whether what was built last is to be used, and is there. */
    private static boolean isBuilt(Language language) {
        boolean isWanted = Boolean.getBoolean("spillway.built");
        return isWanted && Files.isExecutable(Path.of(language.command().get(0)));
    }

    private static void build(Language language, Path log) throws IOException, InterruptedException {
        Files.createDirectories(language.directory().resolveSibling("conformance/target"));
        Process build = new ProcessBuilder(language.build())
                .directory(language.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!build.waitFor(BUILD_MINUTES, TimeUnit.MINUTES) || build.exitValue() != 0) {
            build.destroyForcibly();
            throw new IllegalStateException("the driver of " + language + " does not build: " + Files.readString(log));
        }
    }

    private static boolean isOnPath(String tool) {
        String path = System.getenv().getOrDefault("PATH", "");
        return List.of(path.split(File.pathSeparator)).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
    }
}
