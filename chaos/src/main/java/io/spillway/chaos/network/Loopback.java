package io.spillway.chaos.network;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * All hosts on 127.0.0.1, with a proxy in front of every port of every node. It needs no rights. Who connects is found out by
 * whose process the socket belongs to. A cut keeps back the bytes of one direction; connections are still accepted, because
 * the kernel accepts them. Bytes that were kept back come after the healing, as TCP sends again what was lost.
 */
public final class Loopback implements Network {
    private record Delay(int ms, int jitterMs) {}

    private final Cuts cuts = new Cuts();
    private final Set<String> slow = ConcurrentHashMap.newKeySet();
    private final Map<String, Delay> delays = new ConcurrentHashMap<>();
    private final List<String> clientHosts;
    private final Map<String, Long> pids = new ConcurrentHashMap<>();
    private final Map<String, Endpoints> endpoints = new HashMap<>();
    private final List<Proxy> proxies = new ArrayList<>();
    private final Set<Integer> used = new HashSet<>();

    public Loopback(List<String> nodes, List<String> clientHosts) {
        this.clientHosts = List.copyOf(clientHosts);
        for (String node : nodes) {
            String cluster = free();
            String wire = free();
            Proxy clusterProxy = new Proxy(node, cluster, this);
            Proxy wireProxy = new Proxy(node, wire, this);
            proxies.add(clusterProxy);
            proxies.add(wireProxy);
            endpoints.put(node, new Endpoints(cluster, clusterProxy.address(), wire, wireProxy.address(), free()));
        }
    }

    /** Chosen by the system a moment ago, and not a second time here, so that it is free unless somebody is very quick. */
    private String free() {
        while (true) {
            try (ServerSocket socket = new ServerSocket(0)) {
                if (used.add(socket.getLocalPort())) {
                    return "127.0.0.1:" + socket.getLocalPort();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public Endpoints endpoints(String node) {
        Endpoints found = endpoints.get(node);
        if (found == null) {
            throw new IllegalArgumentException("there is no node " + node);
        }
        return found;
    }

    @Override
    public List<String> clientHosts() {
        return clientHosts;
    }

    @Override
    public List<String> prefix(String host) {
        return List.of();
    }

    @Override
    public void started(String host, long pid) {
        if (!host.equals(CLIENTS)) {
            pids.put(host, pid);
        }
    }

    /** The host whose process has the socket with this port, connected to that one. */
    String hostOf(int localPort, int remotePort) {
        for (Map.Entry<String, Long> host : pids.entrySet()) {
            if (SocketOwner.has(host.getValue(), localPort, remotePort)) {
                return host.getKey();
            }
        }
        return CLIENTS;
    }

    @Override
    public void cut(String from, String to) {
        cuts.add(from, to);
    }

    @Override
    public void slow(String node) {
        slow.add(node);
    }

    boolean isSlow(String host) {
        return slow.contains(host);
    }

    @Override
    public boolean canDelay() {
        return true;
    }

    @Override
    public void delay(String host, int ms, int jitterMs) {
        delays.put(host, new Delay(ms, jitterMs));
    }

    /** How long something on its way between these two takes longer just now. */
    long delayNs(String from, String to) {
        return delayNs(delays.get(from)) + delayNs(delays.get(to));
    }

    private static long delayNs(@Nullable Delay delay) {
        if (delay == null) {
            return 0;
        }
        int ms = delay.ms + ThreadLocalRandom.current().nextInt(-delay.jitterMs, delay.jitterMs + 1);
        return ms * 1_000_000L;
    }

    @Override
    public void heal() {
        cuts.clear();
        slow.clear();
        delays.clear();
    }

    @Override
    public boolean flows(String from, String to) {
        return !cuts.contains(from, to);
    }

    @Override
    public void close() {
        proxies.forEach(Proxy::close);
    }
}
