package io.spillway.broker.shard;

import io.spillway.broker.base.SpillwayException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Where the answer to a command goes. Called once, on the shard thread; must not block. */
public interface Reply<T> {
    void ok(T result);

    void failed(SpillwayException why);

    /** What to do with an answer, and what with a refusal. */
    static <T> Reply<T> of(Consumer<? super T> ok, Consumer<SpillwayException> failed) {
        return new Reply<>() {
            @Override
            public void ok(T result) {
                ok.accept(result);
            }

            @Override
            public void failed(SpillwayException why) {
                failed.accept(why);
            }
        };
    }

    /** Completes a future, which then ends on the shard thread. */
    static <T> Reply<T> completing(CompletableFuture<T> answer) {
        return of(answer::complete, answer::completeExceptionally);
    }
}
