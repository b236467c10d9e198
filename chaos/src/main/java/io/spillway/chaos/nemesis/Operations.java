package io.spillway.chaos.nemesis;

import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What operators do, at the wrong moment. */
final class Operations {
    private static final long BACK_MS = 15_000;

    private Operations() {}

    static final Fault TRANSFER = Fault.of("transfer-leader", scene -> {
        Node to = scene.follower();
        Node leader = scene.leader();
        return "leadership to " + to.id() + ": "
                + scene.cluster().asking().change(leader, "transfer", Map.of("node", to.id(), "timeout_ms", "5000"));
    });

    /** A node is taken out and comes back: with its directory, by an order, or without it, by itself. */
    static final Fault MEMBERSHIP = new Fault(
            "membership",
            true,
            scene -> {
                Node out = scene.follower();
                Node leader = scene.leader();
                String said = scene.cluster()
                        .asking()
                        .change(leader, "remove", Map.of("node", out.id(), "timeout_ms", "8000"));
                if (!said.equals("done")) {
                    return "remove " + out.id() + ": " + said;
                }
                out.kill9();
                boolean isWiped = scene.random().nextBoolean();
                if (isWiped) {
                    out.lose("");
                }
                return "removed " + out.id() + (isWiped ? ", which lost its directory" : "");
            },
            Operations::addAll);

    /** What is not a member is added, as an operator would, until the leader says that all are. */
    private static String addAll(Scene scene) {
        scene.restore();
        StringBuilder said = new StringBuilder();
        Cluster.await(BACK_MS, () -> {
            Node leader = scene.leader();
            Optional<List<String>> members = scene.cluster()
                    .asking()
                    .cluster(leader)
                    .filter(status -> status.path("figures_from").asText("").equals(leader.id()))
                    .map(status -> status.path("nodes").findValuesAsText("node"));
            if (members.isEmpty()) {
                return false;
            }
            for (Node node : scene.others(leader)) {
                if (!members.get().contains(node.id())) {
                    said.append(node.id())
                            .append(" added: ")
                            .append(add(scene, leader, node))
                            .append("; ");
                    return false;
                }
            }
            return true;
        });
        return said.toString();
    }

    private static String add(Scene scene, Node leader, Node node) {
        return scene.cluster()
                .asking()
                .change(
                        leader,
                        "add",
                        Map.of(
                                "node", node.id(),
                                "zone", node.zone(),
                                "cluster_address", node.endpoints().clusterAdvertise(),
                                "client_address", node.endpoints().advertise(),
                                "timeout_ms", "5000"));
    }

    /** A whole follower is restarted in order while everything runs. */
    static final Fault RESTART = Fault.of("restart", scene -> {
        Node node = scene.any();
        boolean isInTime = node.terminate();
        node.start();
        return "SIGTERM " + node.id() + (isInTime ? "" : ", which did not end in time,") + " and start";
    });
}
