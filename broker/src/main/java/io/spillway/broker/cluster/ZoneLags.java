package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterStatus;
import io.spillway.protocol.v1.PublishAck;
import io.spillway.protocol.v1.ZoneLag;

/** What acks say of the zones that nobody waits for, made once for all acks of a moment. */
final class ZoneLags {
    static final byte[] NONE = new byte[0];

    private ZoneLags() {}

    /** The field of a PublishAck, as bytes that are written behind its others; nothing when all zones vote. */
    static byte[] ofAcks(ClusterStatus status) {
        PublishAck.Builder ack = PublishAck.newBuilder();
        for (String zone : status.zones()) {
            long lagMs = status.zoneLagMs(zone);
            if (status.isAsynchronous(zone) && lagMs != ClusterStatus.UNKNOWN) {
                ack.addZoneLag(ZoneLag.newBuilder().setZone(zone).setLagMs(lagMs));
            }
        }
        return ack.getZoneLagCount() == 0 ? NONE : ack.build().toByteArray();
    }
}
