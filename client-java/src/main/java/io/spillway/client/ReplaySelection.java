package io.spillway.client;

import com.google.protobuf.ByteString;
import io.spillway.protocol.v1.Start;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Which records of a topic a replay is about. Each method gives a narrower selection; immutable. */
public final class ReplaySelection {
    private static final int PER_MILLE = 1000;

    private final io.spillway.protocol.v1.ReplaySelection wire;

    private ReplaySelection(io.spillway.protocol.v1.ReplaySelection wire) {
        this.wire = wire;
    }

    /** All records of a topic. */
    public static ReplaySelection of(String topic) {
        return new ReplaySelection(io.spillway.protocol.v1.ReplaySelection.newBuilder()
                .setTopic(Arguments.notEmpty("the topic's name", topic))
                .build());
    }

    static ReplaySelection of(io.spillway.protocol.v1.ReplaySelection wire) {
        return new ReplaySelection(wire);
    }

    /** Only these partitions. */
    public ReplaySelection partitions(Iterable<Integer> partitions) {
        return with(changed -> changed.clearPartitions().addAllPartitions(partitions));
    }

    /** From there on; an offset narrows the selection to its partition. */
    public ReplaySelection from(StartPosition from) {
        return with(changed -> changed.setFrom(bound(from)));
    }

    /** Up to there, without it. */
    public ReplaySelection to(StartPosition to) {
        return with(changed -> changed.setTo(bound(to)));
    }

    /** Records with this key; called again, also those with that one. */
    public ReplaySelection key(String key) {
        return key(key.getBytes(StandardCharsets.UTF_8));
    }

    /** Records with this key; called again, also those with that one. */
    public ReplaySelection key(byte[] key) {
        return with(changed -> changed.addKeys(ByteString.copyFrom(key)));
    }

    /** Records whose headers match, in the language of group filters. */
    public ReplaySelection filter(String expression) {
        return with(changed -> changed.setFilter(Arguments.notEmpty("the filter", expression)));
    }

    /** Dead letters with this cause, for instance MAX_DELIVERIES. */
    public ReplaySelection deadLetterCause(String cause) {
        return with(changed -> changed.setDeadLetterCause(Arguments.notEmpty("the cause", cause)));
    }

    /** Records that this group of the topic has not settled when the plan is made. */
    public ReplaySelection unackedBy(String group) {
        return with(changed -> changed.setUnackedBy(Arguments.notEmpty("the group's name", group)));
    }

    /** Every so many of a thousand records, always the same ones; 1 to 1000. */
    public ReplaySelection samplePerMille(int perMille) {
        Arguments.between("the sample", perMille, 1, PER_MILLE);
        return with(changed -> changed.setSamplePm(perMille));
    }

    public String topic() {
        return wire.getTopic();
    }

    private static Start bound(StartPosition position) {
        if (position.kind() == StartPosition.GROUP) {
            throw Arguments.invalid("a selection cannot begin or end at a group's place", "a group has no fixed place");
        }
        return position.wire();
    }

    private ReplaySelection with(Consumer<io.spillway.protocol.v1.ReplaySelection.Builder> change) {
        var changed = wire.toBuilder();
        change.accept(changed);
        return new ReplaySelection(changed.build());
    }

    io.spillway.protocol.v1.ReplaySelection wire() {
        return wire;
    }
}
