package io.spillway.broker.replay;

import io.spillway.broker.base.SpillwayException;
import java.util.function.Consumer;

/** Where the answer of a shard goes. Called once, on the replay thread. */
interface Answer<T> {
    void ok(T result);

    void failed(SpillwayException why);

    static <T> Answer<T> of(Consumer<T> ok, Consumer<SpillwayException> failed) {
        return new Answer<>() {
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
}
