package io.spillway.broker.diagnose;

/**
 * What a diagnosis speaks of.
 *
 * @param topic empty when it is of none
 * @param name of the group, consumer, node or link; empty for a topic and the cluster
 */
public record Subject(Kind kind, String topic, String name) {
    /** What there is to look at. */
    public enum Kind {
        TOPIC,
        GROUP,
        MEMBER,
        NODE,
        CLUSTER,
        LINK
    }

    public static Subject topic(String topic) {
        return new Subject(Kind.TOPIC, topic, "");
    }

    public static Subject group(String topic, String group) {
        return new Subject(Kind.GROUP, topic, group);
    }

    public static Subject node(String node) {
        return new Subject(Kind.NODE, "", node);
    }

    public static Subject cluster() {
        return new Subject(Kind.CLUSTER, "", "");
    }

    @Override
    public String toString() {
        return switch (kind) {
            case TOPIC -> "topic " + topic;
            case GROUP -> "group " + name + " of topic " + topic;
            case MEMBER -> "consumer " + name + " of topic " + topic;
            case NODE -> "node " + name;
            case CLUSTER -> "the cluster";
            case LINK -> "link " + name;
        };
    }
}
