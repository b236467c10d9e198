package io.spillway.broker.dispatch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which member of a group has which of the 1,024 slots of keys. All have the same number, give or take one, and only as
 * many slots move as that takes. Beyond 1,024 members some have none. Confined to the shard thread.
 */
public final class KeySlots {
    public static final int SLOTS = 1024;

    private static final long NOBODY = 0;

    /** Of all without members: most groups never have a use for slots. Nobody writes to it. */
    private static final long[] NOBODYS = new long[SLOTS];

    private long[] owners = NOBODYS;
    /** Slots of each member, in the order they came. */
    private final Map<Long, Integer> loads = new LinkedHashMap<>();

    /** The member that has a slot; 0 while there is none. */
    public long ownerOf(int slot) {
        return owners[slot];
    }

    /** The slots of a member, lowest first. */
    public List<Integer> of(long memberId) {
        List<Integer> slots = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
            if (owners[slot] == memberId) {
                slots.add(slot);
            }
        }
        return slots;
    }

    public void join(long memberId) {
        join(memberId, SLOTS);
    }

    /** With at most so many slots for now, unless nobody else is there; {@link #even} gives it the rest. */
    public void join(long memberId, int most) {
        if (loads.isEmpty()) {
            owners = new long[SLOTS];
            Arrays.fill(owners, memberId);
            loads.put(memberId, SLOTS);
            return;
        }
        loads.put(memberId, 0);
        even(most);
    }

    /** Moves up to so many slots from who has most to who has fewest; how many that took. */
    public int even(int most) {
        int moved = 0;
        long richest = extreme(-1);
        long poorest = extreme(1);
        while (moved < most && loads.getOrDefault(richest, 0) - loads.getOrDefault(poorest, 0) > 1) {
            move(slotOf(richest), poorest);
            moved++;
            richest = extreme(-1);
            poorest = extreme(1);
        }
        return moved;
    }

    public void leave(long memberId) {
        if (loads.remove(memberId) == null) {
            return;
        }
        if (loads.isEmpty()) {
            owners = NOBODYS;
            return;
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            if (owners[slot] == memberId) {
                owners[slot] = NOBODY;
                move(slot, extreme(1));
            }
        }
    }

    private void move(int slot, long to) {
        loads.computeIfPresent(owners[slot], (id, load) -> load - 1);
        loads.computeIfPresent(to, (id, load) -> load + 1);
        owners[slot] = to;
    }

    /** The member with the fewest slots (sign 1) or the most (-1); of equals the one that came first. */
    private long extreme(int sign) {
        long found = NOBODY;
        int best = Integer.MAX_VALUE;
        for (Map.Entry<Long, Integer> load : loads.entrySet()) {
            if (load.getValue() * sign < best) {
                best = load.getValue() * sign;
                found = load.getKey();
            }
        }
        return found;
    }

    private int slotOf(long memberId) {
        int slot = 0;
        while (owners[slot] != memberId) {
            slot++;
        }
        return slot;
    }
}
