package io.spillway.chaos.nemesis;

import io.spillway.chaos.cluster.Node;

/** Disks that are full, or that lose or damage what was written. */
final class Losses {
    private Losses() {}

    /** To the last byte. Who could not even write the cluster's log says so and has to be restarted, as operators are told. */
    static final Fault FULL = new Fault(
            "disk-full",
            false,
            scene -> {
                Node node = scene.random().nextBoolean() ? scene.leader() : scene.any();
                node.fillDisk();
                return "the disk of " + node.id() + " is full";
            },
            scene -> {
                StringBuilder said = new StringBuilder();
                for (Node node : scene.cluster().nodes()) {
                    if (hasStopped(scene, node)) {
                        node.kill9();
                        node.start();
                        said.append(node.id()).append(" had stopped and is restarted; ");
                    }
                }
                return said.toString();
            });

    private static boolean hasStopped(Scene scene, Node node) {
        return scene.cluster()
                .asking()
                .cluster(node)
                .filter(status -> !status.path("stopped").isNull())
                .isPresent();
    }

    /** All of its directory; it joins again as a new node of the same name. */
    static final Fault DIRECTORY = Fault.losing("directory-lost", scene -> lose(scene, ""));

    /** A part of its directory, as after a restore that forgot it. */
    static final Fault LOG = Fault.losing("log-lost", scene -> lose(scene, "shard-0"));

    static final Fault RAFT_LOG = Fault.losing("raft-log-lost", scene -> lose(scene, "raft"));

    private static String lose(Scene scene, String part) {
        Node node = scene.random().nextBoolean() ? scene.leader() : scene.any();
        node.kill9();
        node.lose(part);
        node.start();
        return node.id() + " died and lost " + (part.isEmpty() ? "its directory" : part) + ", started again";
    }

    static final Fault BIT_FLIPS = Fault.losing("bit-flips", scene -> {
        Node node = scene.random().nextBoolean() ? scene.leader() : scene.any();
        node.kill9();
        String where = BitFlips.in(node.data().resolve("shard-0"), scene.random());
        node.start();
        return node.id() + " died and has flipped bits: " + where + ", started again";
    });

    static final Fault RAFT_BIT_FLIPS = Fault.losing("raft-bit-flips", scene -> {
        Node node = scene.random().nextBoolean() ? scene.leader() : scene.any();
        node.kill9();
        String where = BitFlips.in(node.data().resolve("raft"), scene.random());
        node.start();
        return node.id() + " died and has flipped bits: " + where + ", started again";
    });
}
