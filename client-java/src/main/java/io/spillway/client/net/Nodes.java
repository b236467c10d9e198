package io.spillway.client.net;

import io.spillway.client.core.Node;
import io.spillway.protocol.v1.Endpoint;
import io.spillway.protocol.v1.Error;
import java.util.List;

/** Reads the addresses that a broker names; such as nobody could connect to are as if they were not there. */
final class Nodes {
    private static final int MAX_PORT = 65_535;

    private Nodes() {}

    static List<String> texts(List<Endpoint> named) {
        return named.stream().map(Nodes::text).filter(text -> !text.isEmpty()).toList();
    }

    /** With where they are. */
    static List<Node> nodes(List<Endpoint> named) {
        return named.stream()
                .map(each -> new Node(text(each), each.getZone()))
                .filter(node -> !node.endpoint().isEmpty())
                .toList();
    }

    /** Where the leader is; empty = not said. */
    static String redirect(Error why) {
        return why.hasRedirect() ? text(why.getRedirect()) : "";
    }

    private static String text(Endpoint named) {
        int port = named.getPort();
        boolean usable = !named.getHost().isBlank() && port > 0 && port <= MAX_PORT;
        return usable ? new io.spillway.client.net.Endpoint(named.getHost(), port).toString() : "";
    }
}
