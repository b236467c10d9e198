package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One kind of thing that is shown by GET and changed by POST below it, in JSON.
 *
 * @param root its path
 * @param rules that hold for every change
 * @param changes in words
 * @param parameters of each change
 */
record ChangeRoutes(String root, ChangeRules rules, String changes, Map<String, Set<String>> parameters) {
    private static final int TIMEOUT_MS = 30_000;

    /** Does a change; the body of its answer. Throws, or fails, when it is not done. */
    interface Performed {
        CompletableFuture<String> perform(String change, Map<String, String> query);
    }

    boolean areFor(String path) {
        return path.equals(root) || path.startsWith(root + "/");
    }

    CompletableFuture<Answer> answer(AdminRequest request, Supplier<String> shown, Performed performed) {
        String change = request.below(root);
        if (change.isEmpty()) {
            return CompletableFuture.completedFuture(
                    request.reads() ? new Answer(200, Answer.JSON, shown.get()) : Answer.onlyBy(Answer.READS));
        }
        Set<String> taken = parameters.get(change);
        if (taken == null) {
            return CompletableFuture.completedFuture(Answer.error(new SpillwayException(
                    Code.NOT_FOUND,
                    "no such path below " + root,
                    "there are " + changes + ", by POST",
                    "use one of them, or spillway " + rules.command())));
        }
        if (!request.posts()) {
            return CompletableFuture.completedFuture(Answer.onlyBy("POST"));
        }
        String failed = rules.command() + " " + change + " is not done";
        try {
            rules.check(request, taken);
            return performed
                    .perform(change, request.query())
                    .orTimeout(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                    .handle((body, failure) -> failure == null
                            ? new Answer(200, Answer.JSON, body)
                            : Answer.error(ClusterFailures.of(failure, failed)));
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(Answer.error(ClusterFailures.of(e, failed)));
        }
    }
}
