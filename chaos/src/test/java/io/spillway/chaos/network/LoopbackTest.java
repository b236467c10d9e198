package io.spillway.chaos.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A cut holds back one direction and no other, and healing lets everything through. */
@Timeout(60)
class LoopbackTest {
    private static final int SILENCE_MS = 300;

    @Test
    void aCutHoldsBackOneDirectionUntilItIsHealed() throws IOException {
        try (Loopback network = new Loopback(List.of("n1", "n2"), List.of(Network.CLIENTS));
                ServerSocket node = listen(network.endpoints("n1").listen());
                Socket client = connect(network.endpoints("n1").advertise())) {
            Socket peer = node.accept();
            pass(client, peer, 1);
            network.cut(Network.CLIENTS, "n1");

            client.getOutputStream().write(2);

            peer.setSoTimeout(SILENCE_MS);
            assertThatThrownBy(() -> peer.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
            pass(peer, client, 3);
            network.heal();
            peer.setSoTimeout(10_000);
            assertThat(peer.getInputStream().read()).isEqualTo(2);
        }
    }

    @Test
    void aNodeIsKnownByItsProcess() throws IOException {
        try (Loopback network = new Loopback(List.of("n1", "n2"), List.of(Network.CLIENTS));
                ServerSocket node = listen(network.endpoints("n1").clusterListen())) {
            network.started("n2", ProcessHandle.current().pid());
            network.cut("n2", "n1");
            try (Socket fromN2 = connect(network.endpoints("n1").clusterAdvertise())) {
                node.setSoTimeout(SILENCE_MS);
                assertThatThrownBy(node::accept).isInstanceOf(SocketTimeoutException.class);

                network.heal();
                node.setSoTimeout(10_000);
                try (Socket peer = node.accept()) {
                    pass(fromN2, peer, 7);
                }
            }
        }
    }

    @Test
    void whatADelayedHostSendsComesLater() throws IOException {
        try (Loopback network = new Loopback(List.of("n1", "n2"), List.of(Network.CLIENTS, "far"));
                ServerSocket node = listen(network.endpoints("n1").listen())) {
            network.started("far", ProcessHandle.current().pid());
            network.delay("far", 2 * SILENCE_MS, 0);
            try (Socket client = connect(network.endpoints("n1").advertise());
                    Socket peer = node.accept()) {
                long begunNs = System.nanoTime();
                pass(client, peer, 1);
                assertThat(System.nanoTime() - begunNs).isGreaterThanOrEqualTo(2L * SILENCE_MS * 1_000_000);
            }
        }
    }

    private static ServerSocket listen(String address) throws IOException {
        return new ServerSocket(port(address));
    }

    private static Socket connect(String address) throws IOException {
        return new Socket("127.0.0.1", port(address));
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(':') + 1));
    }

    private static void pass(Socket from, Socket to, int value) throws IOException {
        from.getOutputStream().write(value);
        assertThat(to.getInputStream().read()).isEqualTo(value);
    }
}
