package io.spillway.broker.replay;

/** Chooses records by their place alone, so that the same ones are chosen each time. */
final class Sample {
    private static final int PER_MILLE = 1000;

    private Sample() {}

    /** @param perMille 0 = all */
    static boolean takes(int partition, long offset, int perMille) {
        return perMille == 0
                || Long.remainderUnsigned(mix(offset * 0x9E3779B97F4A7C15L + partition), PER_MILLE) < perMille;
    }

    /** The finalizer of MurmurHash3. */
    static long mix(long value) {
        long hash = value;
        hash = (hash ^ hash >>> 33) * 0xFF51AFD7ED558CCDL;
        hash = (hash ^ hash >>> 33) * 0xC4CEB9FE1A85EC53L;
        return hash ^ hash >>> 33;
    }
}
