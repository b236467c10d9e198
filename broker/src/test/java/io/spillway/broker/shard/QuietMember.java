package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import java.util.List;

/** A consumer of a test that is there, takes everything, and has nothing to say to what it is told. */
abstract class QuietMember implements SubscriberPort {
    @Override
    public int identity() {
        return System.identityHashCode(this);
    }

    @Override
    public boolean isGone() {
        return false;
    }

    @Override
    public boolean writable() {
        return true;
    }

    @Override
    public void gained(long memberId) {}

    @Override
    public void relieved(long memberId, List<Integer> slots, int drainMs) {}

    @Override
    public void ended(SpillwayException why) {}
}
