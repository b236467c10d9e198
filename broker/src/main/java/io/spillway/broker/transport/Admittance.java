package io.spillway.broker.transport;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what those may hold who have not yet said who they are. When too many are half open, the oldest of the address that has
 * most goes, one that has said nothing before one that has: whoever means it is through in milliseconds, and so gets in although
 * others hold as many as they can. Thread-safe.
 */
final class Admittance {
    private final Door.Limits limits;
    private final Map<InetAddress, Integer> byAddress = new HashMap<>();
    private final LinkedHashMap<Channel, InetAddress> halfOpen = new LinkedHashMap<>();
    private final Set<Channel> spoke = new HashSet<>();
    private final LongAdder refused = new LongAdder();
    private final LongAdder evicted = new LongAdder();

    Admittance(Door.Limits limits) {
        this.limits = limits;
    }

    /** Whether the connection may stay; of one that may, its end is heard. */
    boolean enter(Channel channel) {
        InetAddress address = address(channel.remoteAddress());
        Channel victim;
        synchronized (this) {
            int there = byAddress.getOrDefault(address, 0);
            if (limits.maxPerAddress() > 0 && there >= limits.maxPerAddress()) {
                refused.increment();
                return false;
            }
            byAddress.put(address, there + 1);
            victim = halfOpen.size() < limits.maxHalfOpen() ? null : oldestOfWorst();
            if (victim != null) {
                forget(victim);
                evicted.increment();
            }
            halfOpen.put(channel, address);
        }
        if (victim != null) {
            victim.close();
        }
        channel.closeFuture().addListener(closed -> left(channel, address));
        return true;
    }

    private static InetAddress address(@Nullable SocketAddress remote) {
        return remote instanceof InetSocketAddress known && known.getAddress() != null
                ? known.getAddress()
                : InetAddress.getLoopbackAddress();
    }

    private @Nullable Channel oldestOfWorst() {
        Map<InetAddress, Integer> counts = new HashMap<>();
        halfOpen.values().forEach(address -> counts.merge(address, 1, Integer::sum));
        int most = counts.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        Channel oldest = null;
        for (Map.Entry<Channel, InetAddress> entry : halfOpen.entrySet()) {
            if (counts.getOrDefault(entry.getValue(), 0) == most) {
                if (!spoke.contains(entry.getKey())) {
                    return entry.getKey();
                }
                oldest = oldest == null ? entry.getKey() : oldest;
            }
        }
        return oldest;
    }

    private void forget(Channel channel) {
        halfOpen.remove(channel);
        spoke.remove(channel);
    }

    /** Something has come from it. */
    synchronized void spoke(Channel channel) {
        if (halfOpen.containsKey(channel)) {
            spoke.add(channel);
        }
    }

    private synchronized void left(Channel channel, InetAddress address) {
        forget(channel);
        byAddress.computeIfPresent(address, (key, there) -> there > 1 ? there - 1 : null);
    }

    /** Its session is open. */
    synchronized void opened(Channel channel) {
        forget(channel);
    }

    synchronized boolean isHalfOpen(Channel channel) {
        return halfOpen.containsKey(channel);
    }

    synchronized int halfOpen() {
        return halfOpen.size();
    }

    /** Connections that were closed at once: their address has too many. */
    long refused() {
        return refused.sum();
    }

    /** Connections that were closed for newer ones, before they had said who they are. */
    long evicted() {
        return evicted.sum();
    }
}
