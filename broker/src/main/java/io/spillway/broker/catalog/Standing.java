package io.spillway.broker.catalog;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.TopicLink;
import io.spillway.protocol.Code;

/**
 * What a topic is to links: open to clients, a copy that a link fills, or taken elsewhere by one. Immutable.
 *
 * @param mirroredBy the link that fills it; empty when none does
 * @param fencedBy the link that took it elsewhere; empty when none did
 * @param place where it lives when it is fenced
 * @param epoch grows each time another cluster takes over
 * @param sourceCreatedMs of a copy: when the topic it is a copy of was created
 */
public record Standing(String mirroredBy, String fencedBy, String place, long epoch, long sourceCreatedMs) {
    private static final int RETRY_AFTER_MS = 1_000;

    /** Of a topic that no link has touched. */
    public static final Standing UNTOUCHED = new Standing("", "", "", 0, 0);

    /** A copy that a link fills. */
    public static Standing mirrored(String link, long epoch, long sourceCreatedMs) {
        return new Standing(link, "", "", epoch, sourceCreatedMs);
    }

    /** Open to clients, with an epoch. */
    public static Standing open(long epoch) {
        return new Standing("", "", "", epoch, 0);
    }

    /** Taken elsewhere. */
    public static Standing fenced(String link, String place, long epoch) {
        return new Standing("", link, place, epoch, 0);
    }

    static Standing of(TopicLink record) {
        return new Standing(
                record.getMirroredBy(),
                record.getFencedBy(),
                record.getPlace(),
                record.getEpoch(),
                record.getSourceCreatedMs());
    }

    public TopicLink toRecord() {
        return TopicLink.newBuilder()
                .setMirroredBy(mirroredBy)
                .setFencedBy(fencedBy)
                .setPlace(place)
                .setEpoch(epoch)
                .setSourceCreatedMs(sourceCreatedMs)
                .build();
    }

    /** Whether clients publish to the topic and its groups deliver. */
    public boolean isOpen() {
        return mirroredBy.isEmpty() && fencedBy.isEmpty();
    }

    public boolean isMirrored() {
        return !mirroredBy.isEmpty();
    }

    public boolean isFenced() {
        return !fencedBy.isEmpty();
    }

    /** The answer to whoever wants to change a topic that is not open: it may be soon, here or there. */
    SpillwayException refusal(String topic) {
        return isMirrored()
                ? new SpillwayException(
                        Code.READ_ONLY,
                        "topic " + topic + " is a copy and only read here",
                        "link " + mirroredBy + " fills it from another cluster",
                        "publish and consume at the source; to move here: spillway link promote " + mirroredBy,
                        RETRY_AFTER_MS,
                        null)
                : new SpillwayException(
                        Code.READ_ONLY,
                        "topic " + topic + " has moved to " + place,
                        "link " + fencedBy + " was promoted there, epoch " + epoch,
                        "publish and consume at " + place + "; to take it back: spillway link lift " + topic,
                        RETRY_AFTER_MS,
                        null);
    }
}
