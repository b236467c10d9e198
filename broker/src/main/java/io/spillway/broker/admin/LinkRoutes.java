package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.link.LinkService;
import io.spillway.protocol.Code;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * {@code GET /links} and what an operator asks with {@code POST /links/...}. Answers and errors are JSON; an error has code,
 * what, why and next step. Thread-safe; what has to wait is a future.
 */
final class LinkRoutes {
    static final String ROOT = "/links";

    private static final ChangeRules RULES = new ChangeRules("links are", "link", "links");
    private static final String TIMEOUT = "timeout_ms";
    private static final int TIMEOUT_MS = 30_000;
    private static final Map<String, Set<String>> PARAMETERS = Map.of(
            "create", Set.of("name", "from", "topics", "rate", TIMEOUT),
            "promote", Set.of("name", "force", TIMEOUT),
            "delete", Set.of("name", TIMEOUT),
            "lift", Set.of("topics", TIMEOUT));

    private final LinkService links;

    LinkRoutes(LinkService links) {
        this.links = links;
    }

    static boolean areFor(String path) {
        return path.equals(ROOT) || path.startsWith(ROOT + "/");
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        String change = request.below(ROOT);
        if (change.isEmpty()) {
            return CompletableFuture.completedFuture(
                    request.reads()
                            ? new Answer(200, Answer.JSON, LinkJson.links(links.view(), links.runs()))
                            : Answer.onlyBy(Answer.READS));
        }
        if (!PARAMETERS.containsKey(change)) {
            return CompletableFuture.completedFuture(Answer.error(new SpillwayException(
                    Code.NOT_FOUND,
                    "no such path below " + ROOT,
                    "there are create, promote, delete and lift, by POST",
                    "use one of them, or spillway link")));
        }
        return request.posts() ? change(change, request) : CompletableFuture.completedFuture(Answer.onlyBy("POST"));
    }

    private CompletableFuture<Answer> change(String change, AdminRequest request) {
        try {
            RULES.check(request, PARAMETERS.getOrDefault(change, Set.of()));
            return perform(change, request.query())
                    .orTimeout(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                    .handle((body, failure) -> failure == null
                            ? new Answer(200, Answer.JSON, body)
                            : Answer.error(ClusterFailures.of(failure, "link " + change + " is not done")));
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(
                    Answer.error(ClusterFailures.of(e, "link " + change + " is not done")));
        }
    }

    private CompletableFuture<String> perform(String change, Map<String, String> query) {
        String name = query.getOrDefault("name", "");
        return switch (change) {
            case "create" ->
                links.create(name, list(query, "from"), list(query, "topics"), rate(query))
                        .thenApply(LinkJson::link);
            case "promote" ->
                links.promote(name, Boolean.parseBoolean(query.getOrDefault("force", "false")))
                        .thenApply(LinkJson::link);
            case "delete" -> links.delete(name).thenApply(LinkJson::link);
            default -> links.lift(list(query, "topics")).thenApply(LinkJson::topics);
        };
    }

    private static List<String> list(Map<String, String> query, String parameter) {
        return Arrays.stream(query.getOrDefault(parameter, "").split(","))
                .map(String::strip)
                .filter(each -> !each.isEmpty())
                .toList();
    }

    private static long rate(Map<String, String> query) {
        String text = query.getOrDefault("rate", "0");
        if (!text.matches("\\d{1,15}")) {
            throw RULES.invalid("rate is " + text, "it must be a number of bytes a second");
        }
        return Long.parseLong(text);
    }
}
