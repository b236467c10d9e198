package io.spillway.chaos.network;

import java.util.List;

/** The hosts of a run, one for each node and one or more for clients, and who reaches whom. Thread-safe. */
public interface Network extends AutoCloseable {
    /** Where clients are that have no host of their own. */
    String CLIENTS = "clients";

    /**
     * Where a node listens, and what it tells others.
     *
     * @param clusterListen for the other nodes
     * @param clusterAdvertise under what the other nodes reach it
     * @param listen for clients
     * @param advertise under what clients reach it
     * @param http for the round itself, never cut
     */
    record Endpoints(String clusterListen, String clusterAdvertise, String listen, String advertise, String http) {}

    Endpoints endpoints(String node);

    /** The hosts of clients. */
    List<String> clientHosts();

    /** What runs a command at a host. */
    List<String> prefix(String host);

    /** A process of a host has been started: the host's connections may have to be known by it. */
    void started(String host, long pid);

    /** From now on nothing that one host sends reaches the other; what flows the other way is not touched. */
    void cut(String from, String to);

    /** All that a node sends and receives is slow from now on. */
    void slow(String node);

    /** Whether {@link #delay} can be done. */
    boolean canDelay();

    /** All that a host sends and receives comes later from now on, in its order: by this long, give or take the jitter. */
    void delay(String host, int ms, int jitterMs);

    /** Nothing is cut, slow or late any more. */
    void heal();

    /** Whether what one host sends reaches the other. */
    boolean flows(String from, String to);

    @Override
    void close();
}
