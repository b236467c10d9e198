package io.spillway.broker.replication;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one thread for what changes seldom. A task that throws is reported, where the JDK would keep it in a future that
 * nobody reads. What comes after the shutdown is dropped: what Ratis reports while it closes is of no use to anybody.
 */
final class Control extends ScheduledThreadPoolExecutor {
    private final Consumer<Throwable> onFailure;

    Control(String threadName, Consumer<Throwable> onFailure) {
        super(1, task -> new Thread(task, threadName), new ThreadPoolExecutor.DiscardPolicy());
        this.onFailure = onFailure;
        setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
        super.afterExecute(task, thrown);
        if (thrown != null) {
            onFailure.accept(thrown);
        } else if (task instanceof Future<?> future && future.isDone() && !future.isCancelled()) {
            try {
                future.get();
            } catch (ExecutionException e) {
                onFailure.accept(e.getCause() == null ? e : e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
