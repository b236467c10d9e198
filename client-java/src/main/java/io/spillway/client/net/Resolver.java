package io.spillway.client.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Turns host names into addresses off the network thread, because the JDK's lookup blocks. Thread-safe. */
final class Resolver {
    private final Executor network;

    Resolver(Executor network) {
        this.network = network;
    }

    /**
     * What is needed to connect.
     *
     * @param address null when the name is not known
     * @param secret null when there is none to be had
     * @param why there is none
     */
    record Found(
            @Nullable InetSocketAddress address, @Nullable String secret, String why) {}

    /**
     * Looks the endpoint up, asks for the secret, which may take as long, and calls back on the network thread. Of several
     * addresses each attempt takes the next.
     */
    void resolve(Endpoint endpoint, int attempt, Supplier<String> secret, Consumer<Found> heir) {
        Thread lookup = new Thread(
                () -> {
                    Found found = find(lookUp(endpoint, attempt), secret);
                    try {
                        network.execute(() -> heir.accept(found));
                    } catch (RejectedExecutionException e) {
                        Thread.currentThread().interrupt(); // the client was closed meanwhile; nobody waits
                    }
                },
                "spillway-client-dns");
        lookup.setDaemon(true);
        lookup.start();
    }

    private static Found find(@Nullable InetSocketAddress address, Supplier<String> secret) {
        try {
            return new Found(address, secret.get(), "");
        } catch (RuntimeException e) {
            return new Found(address, null, e.toString());
        }
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
