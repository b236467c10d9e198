package io.spillway.broker.cluster;

import java.util.List;

/**
 * How a node serves its cluster.
 *
 * @param readMaxLagMs for how long it may have lacked something and still serve readers as a follower
 * @param zoneOrder which zones are to lead, the first one rather than the second; empty = any
 */
public record MemberTerms(long readMaxLagMs, List<String> zoneOrder) {
    public MemberTerms {
        zoneOrder = List.copyOf(zoneOrder);
    }
}
