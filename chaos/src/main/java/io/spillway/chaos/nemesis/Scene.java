package io.spillway.chaos.nemesis;

import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.network.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What faults work on. */
public record Scene(Cluster cluster, Network network, SplittableRandom random) {
    Node any() {
        return pick(cluster.nodes());
    }

    private Node pick(List<Node> nodes) {
        return nodes.get(random.nextInt(nodes.size()));
    }

    /** The leader; any node while there is none. */
    Node leader() {
        return cluster.leader().orElseGet(this::any);
    }

    Node follower() {
        Node leader = leader();
        return pick(others(leader));
    }

    List<Node> others(Node node) {
        List<Node> others = new ArrayList<>(cluster.nodes());
        others.remove(node);
        return others;
    }

    /** All nodes in an order of chance. */
    List<Node> shuffled() {
        List<Node> left = new ArrayList<>(cluster.nodes());
        List<Node> all = new ArrayList<>();
        while (!left.isEmpty()) {
            all.add(left.remove(random.nextInt(left.size())));
        }
        return all;
    }

    /** Whatever is still broken is made whole: the network, disks, and what does not run. */
    void restore() {
        network.heal();
        for (Node node : cluster.nodes()) {
            node.resume();
            node.freeDisk();
            node.start();
        }
    }
}
