package io.spillway.chaos.scenario;

import io.spillway.chaos.cluster.Node;
import java.nio.file.Path;
import java.util.List;

/** One partial failure. */
interface Scenario {
    int number();

    /** A short name, words joined by hyphens. */
    String name();

    Setup setup();

    /**
     * Of the brokers, for this run.
     *
     * @param directory of the scenario
     */
    default Node.Terms terms(Path root, Path directory) {
        return setup().terms();
    }

    /** What it needs of the machine beside its network, and is not there; empty = nothing. */
    default String missing() {
        return "";
    }

    /** Lets it happen, and tells the stage what was expected and what was seen. */
    void play(Stage stage) throws InterruptedException;

    /** What a network must be able to do. */
    enum Net {
        ANY,
        /** Proxies: it delays. */
        PROXIES,
        /** Namespaces and file systems of the nodes' own. */
        DISKS
    }

    /**
     * What it needs.
     *
     * @param clients their names, a language each, with a number behind it when there are several; each at a host of its own
     * @param terms of the brokers
     */
    record Setup(Net net, List<String> clients, Node.Terms terms) {
        static Setup of(Net net, String... clients) {
            return new Setup(net, List.of(clients), Node.Terms.USUAL);
        }

        Setup with(Node.Terms terms) {
            return new Setup(net, clients, terms);
        }
    }
}
