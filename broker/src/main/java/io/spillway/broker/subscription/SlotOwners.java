package io.spillway.broker.subscription;

/** Which member of a KEY_ORDERED group gets the keys of a slot. */
public interface SlotOwners {
    int SLOTS = 1024;

    /** The member's id; any number that is no member's while there is none. */
    long ownerOf(int slot);

    static int slot(int keyHash) {
        return keyHash & SLOTS - 1;
    }
}
