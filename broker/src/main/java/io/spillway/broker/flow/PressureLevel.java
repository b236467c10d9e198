package io.spillway.broker.flow;

/**
 * One signal's level of pressure: up after two ticks at or above a line, over several levels at once if need be; down by one
 * after {@value #DOWN_TICKS} ticks below the lower line of its level. Not thread-safe.
 */
public final class PressureLevel {
    /** Ticks in a row before a level is left downwards. */
    public static final int DOWN_TICKS = 30;

    private final long[] enter;
    private final long[] leave;
    private int level;
    private int wantedBefore;
    private int calmTicks;
    private long value;

    /**
     * Lines of levels 1, 2, ..., rising.
     *
     * @param enter at or above which a level begins
     * @param leave below which it may end; as many
     */
    public PressureLevel(long[] enter, long[] leave) {
        if (enter.length != leave.length) {
            throw new IllegalArgumentException(enter.length + " levels begin and " + leave.length + " end");
        }
        this.enter = enter.clone();
        this.leave = leave.clone();
    }

    /** The level now, 0 = none; it stays until the next tick. */
    public int level() {
        return level;
    }

    /** The last reading. */
    public long value() {
        return value;
    }

    /** At or above which the level it is at begins; 0 of no level. */
    public long line() {
        return level == 0 ? 0 : enter[level - 1];
    }

    /** One more reading, taken at fixed intervals. */
    public int tick(long reading) {
        value = reading;
        int wanted = 0;
        while (wanted < enter.length && value >= enter[wanted]) {
            wanted++;
        }
        int sure = Math.min(wanted, wantedBefore);
        wantedBefore = wanted;
        if (sure > level) {
            level = sure;
            calmTicks = 0;
        } else {
            ease();
        }
        return level;
    }

    /** The time of a reading in which nothing was read: what was read before is not confirmed by that, and may end. */
    public int tickWithout() {
        ease();
        return level;
    }

    private void ease() {
        if (level == 0 || value >= leave[level - 1]) {
            calmTicks = 0;
        } else if (++calmTicks == DOWN_TICKS) {
            level--;
            calmTicks = 0;
        }
    }

    /** At this level at once, for what cannot wait for a second reading. */
    public void jump(int newLevel) {
        level = newLevel;
        calmTicks = 0;
    }
}
