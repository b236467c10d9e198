package io.spillway.broker.replication;

import io.spillway.broker.base.ListenAddress;
import java.util.regex.Pattern;

/**
 * A node as every other knows it; the cluster's configuration carries it whole.
 *
 * @param id unique in the cluster, for as long as the node's directory lives
 * @param zone what fails together
 * @param clusterAddress {@code host:port} where the other nodes reach it
 * @param clientAddress {@code host:port} where clients reach it
 */
public record Peer(String id, String zone, String clusterAddress, String clientAddress) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public Peer {
        check(NAME.matcher(id).matches(), "node id", id, "1 to 64 of A-Z a-z 0-9 . _ -");
        check(NAME.matcher(zone).matches(), "zone", zone, "1 to 64 of A-Z a-z 0-9 . _ -");
        check(isAddress(clusterAddress), "cluster address", clusterAddress, "host:port with a port of 1 or more");
        check(isAddress(clientAddress), "client address", clientAddress, "host:port with a port of 1 or more");
    }

    private static boolean isAddress(String text) {
        return ListenAddress.parse(text).filter(address -> address.port() > 0).isPresent();
    }

    private static void check(boolean isRight, String what, String value, String expected) {
        if (!isRight) {
            throw new IllegalArgumentException(what + " " + value + " is not " + expected);
        }
    }
}
