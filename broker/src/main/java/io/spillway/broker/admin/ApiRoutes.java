package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * {@code /api/...}: what the console shows and does, in JSON. Errors have code, what, why and next step. What changes something is
 * a POST with the header {@value Origin#HEADER}, which pages from elsewhere cannot send. Confined to the admin thread.
 */
final class ApiRoutes {
    static final String ROOT = "/api/";

    private static final int TIMEOUT_SECONDS = 30;

    private final Map<String, Call> reads;
    private final Map<String, Call> changes;

    /** What is done for one path. */
    interface Call extends Function<ApiQuery, CompletableFuture<String>> {}

    ApiRoutes(Map<String, Call> reads, Map<String, Call> changes) {
        this.reads = reads;
        this.changes = changes;
    }

    static boolean areFor(String path) {
        return path.startsWith(ROOT);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        String path = request.path().substring(ROOT.length());
        Call read = reads.get(path);
        Call change = changes.get(path);
        if (read != null) {
            return request.reads() ? call(request, read) : done(Answer.onlyBy(Answer.READS));
        }
        if (change == null) {
            return failed(new SpillwayException(
                    Code.NOT_FOUND,
                    "there is no such path below " + ROOT,
                    "it is not known",
                    "see docs/operations/console.md"));
        }
        if (!request.posts()) {
            return done(Answer.onlyBy("POST"));
        }
        if (request.origin() != Origin.CONSOLE) {
            return failed(new SpillwayException(
                    Code.PERMISSION_DENIED,
                    path + " is not done",
                    "the request does not come from the console: it lacks the header " + Origin.HEADER
                            + ", or it is of a page from elsewhere",
                    "use the console or the command line; a program sends the header " + Origin.HEADER));
        }
        return call(request, change);
    }

    private static CompletableFuture<Answer> call(AdminRequest request, Call call) {
        String what = request.path() + " is not answered";
        try {
            return call.apply(new ApiQuery(request))
                    .orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                    .handle((body, failure) -> failure == null
                            ? new Answer(200, Answer.JSON, body)
                            : Answer.error(ClusterFailures.of(failure, what)));
        } catch (RuntimeException e) {
            return failed(ClusterFailures.of(e, what));
        }
    }

    private static CompletableFuture<Answer> done(Answer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    private static CompletableFuture<Answer> failed(SpillwayException why) {
        return done(Answer.error(why));
    }
}
