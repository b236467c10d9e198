package io.spillway.chaos.network;

import io.spillway.chaos.Shell;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Each host in a network namespace of its own, all on one bridge. A cut drops packets where they arrive, by a routing rule
 * that comes before the local table, so that the sender sees nothing but silence, as of a broken network. The round itself
 * is on the bridge and is never cut.
 *
 * <pre>
 *   n1 [.1] --- +
 *   n2 [.2] --- + bridge [.254]   round
 *   n3 [.3] --- +
 *   clients  -- +
 * </pre>
 */
public final class Namespaces implements Network {
    private static final int CLUSTER_PORT = 7301;
    private static final int WIRE_PORT = 7400;
    private static final int HTTP_PORT = 7480;
    private static final String[] SLOW = {"tbf", "rate", "2mbit", "burst", "16kb", "latency", "400ms"};

    private final Cuts cuts = new Cuts();
    private final String run;
    private final String subnet;
    private final List<String> clientHosts;
    /** Host to its number, in the order of their making. */
    private final Map<String, Integer> hosts = new LinkedHashMap<>();

    /**
     * @param run a short name of its own, part of every name that the machine gets to see
     * @param subnet the first three numbers of the addresses
     */
    public Namespaces(String run, String subnet, List<String> nodes, List<String> clientHosts) {
        this.run = run;
        this.subnet = subnet;
        this.clientHosts = List.copyOf(clientHosts);
        try {
            Shell.run("ip", "link", "add", bridge(), "type", "bridge");
            Shell.run("ip", "addr", "add", subnet + ".254/24", "dev", bridge());
            Shell.run("ip", "link", "set", bridge(), "up");
            nodes.forEach(this::add);
            clientHosts.forEach(this::add);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private String bridge() {
        return "sw" + run;
    }

    private String namespace(String host) {
        return "sw" + run + "-" + host;
    }

    private String veth(String host) {
        return "sw" + run + "v" + hosts.get(host);
    }

    private String address(String host) {
        Integer number = hosts.get(host);
        if (number == null) {
            throw new IllegalArgumentException("there is no host " + host);
        }
        return subnet + "." + number;
    }

    private void add(String host) {
        hosts.put(host, hosts.size() + 1);
        Shell.run("ip", "netns", "add", namespace(host));
        Shell.run("ip", "link", "add", veth(host), "type", "veth", "peer", "name", "eth0", "netns", namespace(host));
        Shell.run("ip", "link", "set", veth(host), "master", bridge(), "up");
        inside(host, "ip", "link", "set", "lo", "up");
        inside(host, "ip", "addr", "add", address(host) + "/24", "dev", "eth0");
        inside(host, "ip", "link", "set", "eth0", "up");
        // An established connection would remember its route and pass the rules by.
        inside(host, "sysctl", "-q", "-w", "net.ipv4.ip_early_demux=0");
        // Rules for who is not heard come at 50; the local table must come after them.
        inside(host, "ip", "rule", "add", "pref", "100", "lookup", "local");
        inside(host, "ip", "rule", "del", "pref", "0");
    }

    private void inside(String host, String... command) {
        String[] all = new String[command.length + 2];
        List<String> prefix = prefix(host);
        all[0] = prefix.get(0);
        all[1] = prefix.get(1);
        System.arraycopy(command, 0, all, 2, command.length);
        Shell.run(all);
    }

    @Override
    public Endpoints endpoints(String node) {
        String ip = address(node) + ":";
        return new Endpoints(ip + CLUSTER_PORT, ip + CLUSTER_PORT, ip + WIRE_PORT, ip + WIRE_PORT, ip + HTTP_PORT);
    }

    @Override
    public List<String> clientHosts() {
        return clientHosts;
    }

    @Override
    public List<String> prefix(String host) {
        return List.of("nsenter", "--net=/run/netns/" + namespace(host));
    }

    @Override
    public void started(String host, long pid) {
        // The namespace says who it is.
    }

    @Override
    public synchronized void cut(String from, String to) {
        if (cuts.add(from, to)) {
            inside(to, "ip", "rule", "add", "pref", "50", "from", address(from), "blackhole");
        }
    }

    @Override
    public synchronized void slow(String node) {
        inside(node, command("replace", "eth0"));
        Shell.run(command("replace", veth(node)));
    }

    /** It takes a queue of the kernel that machines often lack. */
    @Override
    public boolean canDelay() {
        return false;
    }

    @Override
    public void delay(String host, int ms, int jitterMs) {
        throw new UnsupportedOperationException("only proxies delay");
    }

    private static String[] command(String verb, String device) {
        String[] all = new String[6 + SLOW.length];
        String[] head = {"tc", "qdisc", verb, "dev", device, "root"};
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(SLOW, 0, all, head.length, SLOW.length);
        return all;
    }

    @Override
    public synchronized void heal() {
        cuts.clear();
        for (String host : hosts.keySet()) {
            while (attempt(host, "ip", "rule", "del", "pref", "50").exit() == 0) {
                // the next one
            }
            attempt(host, "tc", "qdisc", "del", "dev", "eth0", "root");
            Shell.attempt("tc", "qdisc", "del", "dev", veth(host), "root");
        }
    }

    private Shell.Result attempt(String host, String... command) {
        String[] all = new String[command.length + 2];
        all[0] = prefix(host).get(0);
        all[1] = prefix(host).get(1);
        System.arraycopy(command, 0, all, 2, command.length);
        return Shell.attempt(all);
    }

    @Override
    public boolean flows(String from, String to) {
        return !cuts.contains(from, to);
    }

    @Override
    public void close() {
        hosts.keySet().forEach(host -> Shell.attempt("ip", "netns", "del", namespace(host)));
        hosts.keySet().forEach(host -> Shell.attempt("ip", "link", "del", veth(host)));
        Shell.attempt("ip", "link", "del", bridge());
    }
}
