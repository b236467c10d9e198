package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;

/** Answers a command once its entry is durable. */
record ReplyWhenDurable<T>(T result, Reply<T> reply) implements Journal.Waiter {
    @Override
    public void durable(long durableNs) {
        reply.ok(result);
    }

    @Override
    public void failed(SpillwayException why) {
        reply.failed(why);
    }
}
