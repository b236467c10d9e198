package io.spillway.broker.admin;

import io.spillway.broker.session.Census;
import io.spillway.broker.session.House;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The console: its files, what they ask, and the memory of the last hour. Confined to the admin thread. */
final class ConsoleServer {
    private final ConsoleRoutes files = new ConsoleRoutes();
    private final @Nullable ApiRoutes api;

    private ConsoleServer(@Nullable ApiRoutes api) {
        this.api = api;
    }

    /** @param source null: there is none */
    static ConsoleServer start(@Nullable ConsoleSource source, ScheduledExecutorService thread) {
        if (source == null) {
            return new ConsoleServer(null);
        }
        Census census = new Census(source.sessions(), thread);
        House house = new House(source.sessions(), thread);
        Samples samples =
                new Samples(census, source.traffic(), source.sessions().clock(), thread);
        thread.scheduleAtFixedRate(samples::tick, 0, Samples.TICK_SECONDS, TimeUnit.SECONDS);
        return new ConsoleServer(
                new ApiRoutes(new ApiReads(source, samples, census, house, thread).all(), new ApiChanges(house).all()));
    }

    boolean isFor(String path) {
        return api != null && (ConsoleRoutes.areFor(path) || ApiRoutes.areFor(path));
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        return api != null && ApiRoutes.areFor(request.path())
                ? api.answer(request)
                : CompletableFuture.completedFuture(files.answer(request));
    }
}
