package io.spillway.broker.subscription;

import java.util.Arrays;

/**
 * Says when a group sends so large a share of its records to the dead letters that it had better stop: it counts acks
 * and dead letters within a sliding window of time, in 60 slots that are forgotten one by one. Tripped, it admits no
 * more until it is cleared.
 *
 * <p>Confined to the shard thread.
 */
public final class DeadLetterBreaker {
    private static final int SLOTS = 60;
    private static final int PERCENT = 100;

    private final long[] acks = new long[SLOTS];
    private final long[] deadLetters = new long[SLOTS];
    private int percent;
    private int min;
    private long windowMs;
    private long slotMs;
    private long newestSlot;
    private long totalAcks;
    private long totalDeadLetters;
    private boolean tripped;

    /**
     * @param percent of the outcomes beyond which it trips; 0 = never
     * @param min outcomes in the window before that is judged
     */
    public DeadLetterBreaker(int percent, int min, long windowMs) {
        limits(percent, min, windowMs);
    }

    /** Other limits from now on; another window begins anew. */
    public void limits(int newPercent, int newMin, long newWindowMs) {
        percent = newPercent;
        min = newMin;
        if (newWindowMs != windowMs) {
            windowMs = newWindowMs;
            slotMs = Math.max(1, newWindowMs / SLOTS);
            forget();
        }
    }

    /** Records were acked. */
    public void acked(int records, long nowMs) {
        int slot = slot(nowMs);
        acks[slot] += records;
        totalAcks += records;
    }

    /** How many of these records may go to the dead letters, counted from the first. Less than all when it trips. */
    public int admit(int records, long nowMs) {
        if (tripped) {
            return 0;
        }
        int slot = slot(nowMs);
        int admitted = 0;
        while (admitted < records && !tripped) {
            admitted++;
            deadLetters[slot]++;
            totalDeadLetters++;
            long outcomes = totalAcks + totalDeadLetters;
            tripped = percent > 0 && outcomes >= min && totalDeadLetters * PERCENT > percent * outcomes;
        }
        return admitted;
    }

    public boolean isTripped() {
        return tripped;
    }

    /** What it saw, with what it allows. */
    public String why() {
        return totalDeadLetters + " of " + (totalAcks + totalDeadLetters) + " outcomes in " + seconds()
                + " s were dead letters (limit " + percent + " %)";
    }

    private String seconds() {
        return windowMs % 1_000 == 0 ? Long.toString(windowMs / 1_000) : Double.toString(windowMs / 1_000.0);
    }

    /** Begins anew. */
    public void clear() {
        tripped = false;
        forget();
    }

    private void forget() {
        Arrays.fill(acks, 0);
        Arrays.fill(deadLetters, 0);
        totalAcks = 0;
        totalDeadLetters = 0;
    }

    /** The slot of this time, after the slots that have left the window are empty. A clock that goes back changes none. */
    private int slot(long nowMs) {
        long slot = Math.max(newestSlot, nowMs / slotMs);
        if (slot - newestSlot >= SLOTS) {
            forget();
        } else {
            for (long gone = newestSlot + 1; gone <= slot; gone++) {
                int i = (int) (gone % SLOTS);
                totalAcks -= acks[i];
                totalDeadLetters -= deadLetters[i];
                acks[i] = 0;
                deadLetters[i] = 0;
            }
        }
        newestSlot = slot;
        return (int) (slot % SLOTS);
    }
}
