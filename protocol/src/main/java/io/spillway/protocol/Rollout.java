package io.spillway.protocol;

import java.nio.charset.StandardCharsets;

/** Who is among the share that a toggle is rolled out to: stable, and another share for each toggle. Suite {@code toggle}. */
public final class Rollout {
    /** The share that is everybody. */
    public static final int ALL = 10_000;

    private Rollout() {}

    /** Where one of them is, from 0 to 9,999. */
    public static int bucket(String name, byte[] id) {
        byte[] prefix = (name + ":").getBytes(StandardCharsets.UTF_8);
        byte[] all = new byte[prefix.length + id.length];
        System.arraycopy(prefix, 0, all, 0, prefix.length);
        System.arraycopy(id, 0, all, prefix.length, id.length);
        return Integer.remainderUnsigned(KeyHash.of(all), ALL);
    }

    /** Whether it is among the first so many of ten thousand. */
    public static boolean includes(String name, byte[] id, int rolloutBp) {
        return rolloutBp >= ALL || (rolloutBp > 0 && bucket(name, id) < rolloutBp);
    }
}
