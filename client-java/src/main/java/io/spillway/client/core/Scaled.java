package io.spillway.client.core;

/** Integer randomness: a number r from 0 to 65,535 chosen by the caller scales a maximum. The same in every language. */
final class Scaled {
    static final int MAX_R = 65_535;

    private Scaled() {}

    static long of(long max, int r) {
        return max * r / MAX_R;
    }
}
