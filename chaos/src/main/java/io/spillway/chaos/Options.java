package io.spillway.chaos;

import java.nio.file.Path;
import java.util.List;

/**
 * What to run.
 *
 * @param root the repository
 * @param directory where rounds work and leave what is needed to understand a failure
 * @param seed of the first round; the next ones count up from it
 * @param faults their kinds; empty = all
 * @param atOnce how many faults at a time; 0 = by chance
 * @param languages of the clients; empty = all that can be built here
 */
public record Options(
        Path root,
        Path directory,
        int rounds,
        int seconds,
        long seed,
        Mode mode,
        List<String> faults,
        int atOnce,
        List<String> languages) {
    /** What the network is made of. */
    public enum Mode {
        /** Namespaces, and a file system for each node; needs root. */
        NETNS,
        /** Proxies on loopback, and directories. */
        LOOPBACK;

        /** The better one of those that can be had here. */
        public static Mode best() {
            return Shell.isRoot() && Shell.attempt("ip", "netns", "list").exit() == 0 ? NETNS : LOOPBACK;
        }
    }
}
