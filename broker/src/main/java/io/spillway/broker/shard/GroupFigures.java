package io.spillway.broker.shard;

import io.spillway.broker.diagnose.Cause;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * Sums over the groups of a shard, as of the last look at each.
 *
 * @param backlog records that are visible and not settled, each as often as groups want it
 * @param inFlight records that members hold, or have just settled
 * @param weights by how members are: the sum of their weights, per mille of an average one
 * @param blocked how many groups are kept from delivering by what
 */
public record GroupFigures(long backlog, long inFlight, Map<String, Long> weights, Map<Cause, Integer> blocked) {
    static final GroupFigures NONE = new GroupFigures(0, 0, Map.of(), Map.of());

    static GroupFigures of(Collection<Group> groups) {
        long backlog = 0;
        long inFlight = 0;
        Map<String, Long> weights = new HashMap<>();
        Map<Cause, Integer> blocked = new EnumMap<>(Cause.class);
        for (Group group : groups) {
            if (group.parent == null) {
                group.ports
                        .values()
                        .forEach(each -> weights.merge(
                                each.standing(), each.member.health().weight(), Long::sum));
            }
            backlog += group.watched.backlog;
            inFlight += group.watched.inFlight;
            blocked.merge(group.watched.cause, 1, Integer::sum);
        }
        return new GroupFigures(backlog, inFlight, Map.copyOf(weights), Map.copyOf(blocked));
    }
}
