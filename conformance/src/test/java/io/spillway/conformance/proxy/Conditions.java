package io.spillway.conformance.proxy;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a proxy does to the traffic at present. Confined to the proxy's event loop. */
final class Conditions {
    private static final long NO_LIMIT = -1;

    private final Set<Direction> held = EnumSet.noneOf(Direction.class);
    private final Map<Direction, Long> bytesUntilCut = new EnumMap<>(Direction.class);
    private final List<FrameRule> rules = new ArrayList<>();
    private long delayNs;
    private long bytesPerSecond = NO_LIMIT;
    private @Nullable ByteBuf greeting;

    void hold(List<Direction> directions) {
        held.addAll(directions);
    }

    boolean isHeld(Direction direction) {
        return held.contains(direction);
    }

    void delay(long ms) {
        delayNs = ms * 1_000_000;
    }

    long delayNs() {
        return delayNs;
    }

    void limit(long newBytesPerSecond) {
        bytesPerSecond = newBytesPerSecond;
    }

    boolean isLimited() {
        return bytesPerSecond != NO_LIMIT;
    }

    /** How long so many bytes take at the limit. */
    long paceNs(int bytes) {
        return bytesPerSecond == NO_LIMIT ? 0 : bytes * 1_000_000_000L / bytesPerSecond;
    }

    void cutAfter(List<Direction> directions, long bytes) {
        directions.forEach(direction -> bytesUntilCut.put(direction, bytes));
    }

    /** How many of these bytes may pass; fewer than all means that the connection is cut behind them. */
    int admit(Direction direction, int bytes) {
        Long left = bytesUntilCut.get(direction);
        if (left == null) {
            return bytes;
        }
        if (left >= bytes) {
            bytesUntilCut.put(direction, left - bytes);
            return bytes;
        }
        bytesUntilCut.remove(direction);
        return left.intValue();
    }

    void add(FrameRule rule) {
        rules.add(rule);
    }

    List<FrameRule> rules() {
        return rules;
    }

    /** What is sent to whoever connects, instead of what the broker says; null for the broker. */
    void greet(@Nullable ByteBuf bytes) {
        greeting = bytes;
    }

    @Nullable
    ByteBuf greeting() {
        return greeting;
    }

    void heal() {
        held.clear();
        bytesUntilCut.clear();
        rules.clear();
        delayNs = 0;
        bytesPerSecond = NO_LIMIT;
        greeting = null;
    }
}
