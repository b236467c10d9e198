package io.spillway.chaos.nemesis;

import io.spillway.chaos.cluster.Node;
import io.spillway.chaos.network.Network;
import java.util.List;

/** Networks that do not carry everything. */
final class Partitions {
    private Partitions() {}

    /** One node on one side and two on the other; clients reach both. */
    static final Fault HALVES = Fault.of("partition-halves", scene -> {
        Node alone = scene.any();
        isolate(scene, alone);
        return alone.id() + " | the others";
    });

    static final Fault LEADER = Fault.of("partition-leader", scene -> {
        Node leader = scene.leader();
        isolate(scene, leader);
        if (scene.random().nextBoolean()) {
            return leader.id() + ", the leader, | the others";
        }
        both(scene, leader.id(), Network.CLIENTS);
        return leader.id() + ", the leader, | the others and the clients";
    });

    /** What the leader sends arrives, what is sent to it does not, or the other way round. */
    static final Fault ONE_WAY = Fault.of("partition-one-way", scene -> {
        Node node = scene.random().nextBoolean() ? scene.leader() : scene.any();
        boolean isMute = scene.random().nextBoolean();
        for (Node other : scene.others(node)) {
            if (isMute) {
                scene.network().cut(node.id(), other.id());
            } else {
                scene.network().cut(other.id(), node.id());
            }
        }
        return node.id() + (isMute ? " is not heard by the others" : " does not hear the others");
    });

    /** Of one pair, one does not hear the other. */
    static final Fault ONE_PAIR_ONE_WAY = Fault.of("partition-pair-one-way", scene -> {
        List<Node> nodes = scene.shuffled();
        scene.network().cut(nodes.get(0).id(), nodes.get(1).id());
        return nodes.get(1).id() + " does not hear " + nodes.get(0).id();
    });

    /** Two do not reach each other, and the third reaches both. */
    static final Fault BRIDGE = Fault.of("partition-bridge", scene -> {
        List<Node> nodes = scene.shuffled();
        both(scene, nodes.get(0).id(), nodes.get(1).id());
        return nodes.get(0).id() + " | " + nodes.get(1).id() + ", and "
                + nodes.get(2).id() + " reaches both";
    });

    /** Everybody alone. */
    static final Fault ALL = Fault.of("partition-all", scene -> {
        scene.cluster().nodes().forEach(node -> isolate(scene, node));
        return "n1 | n2 | n3";
    });

    /** Clients do not reach the leader, which reaches all others. */
    static final Fault CLIENTS = Fault.of("partition-clients", scene -> {
        Node leader = scene.leader();
        boolean isOneWay = scene.random().nextBoolean();
        scene.network().cut(leader.id(), Network.CLIENTS);
        if (!isOneWay) {
            scene.network().cut(Network.CLIENTS, leader.id());
        }
        return (isOneWay ? "clients do not hear " : "clients | ") + leader.id() + ", the leader";
    });

    static final Fault SLOW = Fault.of("slow-network", scene -> {
        Node node = scene.random().nextBoolean() ? scene.leader() : scene.any();
        scene.network().slow(node.id());
        return node.id() + " is slow to reach";
    });

    private static void isolate(Scene scene, Node node) {
        scene.others(node).forEach(other -> both(scene, node.id(), other.id()));
    }

    private static void both(Scene scene, String one, String other) {
        scene.network().cut(one, other);
        scene.network().cut(other, one);
    }
}
