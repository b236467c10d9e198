package io.spillway.client;

/** Where the records of a replay go. */
public record ReplayTarget(Kind kind, String name) {

    /** The kinds of targets, in the order of their wire numbers. */
    public enum Kind {
        GROUP,
        NEW_GROUP,
        TOPIC,
        ORIGIN,
        FILE
    }

    /** To the members of a group of the topic, beside its live records: its cursor and its order stay as they are. */
    public static ReplayTarget group(String group) {
        return new ReplayTarget(Kind.GROUP, Arguments.notEmpty("the group's name", group));
    }

    /** To a group that the job creates, for consumers of their own. */
    public static ReplayTarget newGroup(String group) {
        return new ReplayTarget(Kind.NEW_GROUP, Arguments.notEmpty("the group's name", group));
    }

    /** Into a topic whose setting {@code accepts} has {@code replay}; a second run stores nothing twice. */
    public static ReplayTarget topic(String topic) {
        return new ReplayTarget(Kind.TOPIC, Arguments.notEmpty("the topic's name", topic));
    }

    /** Dead letters back to the topics they come from. */
    public static ReplayTarget origin() {
        return new ReplayTarget(Kind.ORIGIN, "");
    }

    static ReplayTarget of(io.spillway.protocol.v1.ReplayTarget wire) {
        Kind[] kinds = Kind.values();
        int index = Math.min(Math.max(wire.getKind() - 1, 0), kinds.length - 1);
        return new ReplayTarget(kinds[index], wire.getName());
    }

    io.spillway.protocol.v1.ReplayTarget wire() {
        return io.spillway.protocol.v1.ReplayTarget.newBuilder()
                .setKind(kind.ordinal() + 1)
                .setName(name)
                .build();
    }

    @Override
    public String toString() {
        String text = kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        return name.isEmpty() ? text : text + ":" + name;
    }
}
