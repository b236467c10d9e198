package io.spillway.broker.flow;

/**
 * What the broker does without when not all is well. Each step also lacks what the steps before it do, as far as their causes
 * are there; the highest is the broker's.
 */
public enum DegradationStep {
    NORMAL("nothing", "nothing"),
    ELEVATED(
            "bulk producers, class 3 and more, are asked to pause",
            "wait; if it stays, see which domain or signal it is: spillway_pressure_state, docs/operations/degradation.md"),
    THROTTLED(
            "publishes of class 3 and more, replays, seeks, new groups and new topics",
            "give the domain that surges a quota: spillway quota set domain"),
    OVERLOADED(
            "publishes of class 2 and more, and, when the load is the broker's, new connections",
            "stop what can wait: spillway topic pause, spillway toggle set broker.shed_class_min 1"),
    QUORUM_LOST(
            "everything that has to be agreed on: publishes, settling",
            "spillway cluster status names the nodes that are away; start them"),
    READ_ONLY("publishes", "free disk space, or shorten retention: spillway topic alter"),
    RESERVE("publishes and new deliveries", "free disk space at once: nothing that settles can be stored"),
    SHUTTING_DOWN("new work of any kind", "use another node");

    private final String lacks;
    private final String next;

    DegradationStep(String lacks, String next) {
        this.lacks = lacks;
        this.next = next;
    }

    /** 0 = all is well, to 7. */
    public int number() {
        return ordinal();
    }

    /** What goes at this step. */
    public String lacks() {
        return lacks;
    }

    /** What an operator does next. */
    public String next() {
        return next;
    }
}
