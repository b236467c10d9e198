package io.spillway.conformance.driver;

import java.nio.file.Path;
import java.util.List;

/**
 * How the driver of one language is built and run: one entry of conformance/drivers.yaml.
 *
 * @param source the file or directory whose absence means that there is no such driver
 * @param directory where the build command runs
 * @param build the command that builds it; empty when there is nothing to build
 * @param command the command that runs it
 */
public record Language(String name, Path source, Path directory, List<String> build, List<String> command) {
    @Override
    public String toString() {
        return name;
    }
}
