package io.spillway.client.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Turns host names into addresses off the network thread, because the JDK's lookup blocks. Thread-safe. */
final class Resolver {
    private final Executor network;

    Resolver(Executor network) {
        this.network = network;
    }

    /**
     * Looks the endpoint up and calls back on the network thread, with null when the name is not known. Of several
     * addresses each attempt takes the next.
     */
    void resolve(Endpoint endpoint, int attempt, Consumer<@Nullable InetSocketAddress> heir) {
        Thread lookup = new Thread(
                () -> {
                    InetSocketAddress address = lookUp(endpoint, attempt);
                    try {
                        network.execute(() -> heir.accept(address));
                    } catch (RejectedExecutionException e) {
                        Thread.currentThread().interrupt(); // the client was closed meanwhile; nobody waits
                    }
                },
                "spillway-client-dns");
        lookup.setDaemon(true);
        lookup.start();
    }

    private static @Nullable InetSocketAddress lookUp(Endpoint endpoint, int attempt) {
        try {
            InetAddress[] all = InetAddress.getAllByName(endpoint.host());
            return new InetSocketAddress(all[Math.floorMod(attempt, all.length)], endpoint.port());
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
