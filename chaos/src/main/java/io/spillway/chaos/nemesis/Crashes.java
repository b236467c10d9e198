package io.spillway.chaos.nemesis;

import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.cluster.Node;
import java.util.List;

/** Processes that die or stand still. */
final class Crashes {
    private Crashes() {}

    static final Fault KILL_ONE = Fault.of("kill-one", scene -> kill(List.of(scene.any())));
    static final Fault KILL_LEADER = Fault.of("kill-leader", scene -> kill(List.of(scene.leader())));
    static final Fault KILL_TWO =
            Fault.of("kill-two", scene -> kill(scene.shuffled().subList(0, 2)));
    static final Fault PAUSE_ONE = Fault.of("pause-one", scene -> pause(List.of(scene.any())));
    static final Fault PAUSE_LEADER = Fault.of("pause-leader", scene -> pause(List.of(scene.leader())));
    static final Fault PAUSE_TWO =
            Fault.of("pause-two", scene -> pause(scene.shuffled().subList(0, 2)));
    /** One after the other, with hardly time for the next election: a leader dies, and the next as soon as there is one. */
    static final Fault KILL_LEADERS = Fault.of("kill-leaders", scene -> {
        Node first = scene.leader();
        first.kill9();
        first.start();
        Cluster.await(
                4_000,
                () -> scene.cluster().leader().filter(next -> next != first).isPresent());
        Node second = scene.leader();
        second.kill9();
        return "kill -9 " + first.id() + ", started again; then " + second.id();
    });

    static final Fault POWER_ONE = Fault.of("power-one", scene -> losePower(List.of(scene.any())));
    static final Fault POWER_ALL =
            Fault.of("power-all", scene -> losePower(scene.cluster().nodes()));

    private static String kill(List<Node> nodes) {
        nodes.forEach(Node::kill9);
        return "kill -9 " + ids(nodes);
    }

    private static String pause(List<Node> nodes) {
        nodes.forEach(Node::pause);
        return "SIGSTOP " + ids(nodes);
    }

    /** All of them at one instant, as near as signals come to it; each loses what it had not synced. */
    private static String losePower(List<Node> nodes) {
        List<Node> running = nodes.stream().filter(Node::isAlive).toList();
        running.forEach(Node::pause);
        running.forEach(Node::freeze);
        running.forEach(Node::losePower);
        return "power cut of " + ids(running) + ", back to what was synced";
    }

    static String ids(List<Node> nodes) {
        return String.join(" and ", nodes.stream().map(Node::id).toList());
    }
}
