package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;

/** Where the answer to a command goes. Called once, on the shard thread; must not block. */
public interface Reply<T> {
    void ok(T result);

    void failed(SpillwayException why);
}
