package io.spillway.broker.shard;

import io.netty.util.ResourceLeakDetector;

/** Watches no buffers for leaks while a class counts what is allocated. */
final class UnwatchedBuffers extends SampledBuffers {
    UnwatchedBuffers() {
        super(ResourceLeakDetector.Level.DISABLED);
    }
}
