package io.spillway.broker.shard;

import io.netty.util.ResourceLeakDetector;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Watches only some buffers for leaks while a class of long random tests runs: paranoid as the other tests are, each access
 * of a buffer keeps a stack trace, which is nine tenths of the time.
 */
class SampledBuffers implements BeforeAllCallback, AfterAllCallback {
    private final ResourceLeakDetector.Level level;
    private ResourceLeakDetector.Level before = ResourceLeakDetector.getLevel();

    SampledBuffers() {
        this(ResourceLeakDetector.Level.SIMPLE);
    }

    SampledBuffers(ResourceLeakDetector.Level level) {
        this.level = level;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        before = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(level);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        ResourceLeakDetector.setLevel(before);
    }
}
