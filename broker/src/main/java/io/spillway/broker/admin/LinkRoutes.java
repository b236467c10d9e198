package io.spillway.broker.admin;

import io.spillway.broker.link.LinkService;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * {@code GET /links} and what an operator asks with {@code POST /links/...}. Answers and errors are JSON; an error has code,
 * what, why and next step. Thread-safe; what has to wait is a future.
 */
final class LinkRoutes {
    static final String ROOT = "/links";

    private static final String TIMEOUT = "timeout_ms";

    private static final ChangeRules RULES = new ChangeRules("links are", "link", "links");
    private static final ChangeRoutes ROUTES = new ChangeRoutes(
            ROOT,
            RULES,
            "create, promote, delete and lift",
            Map.of(
                    "create", Set.of("name", "from", "topics", "rate", TIMEOUT),
                    "promote", Set.of("name", "force", TIMEOUT),
                    "delete", Set.of("name", TIMEOUT),
                    "lift", Set.of("topics", TIMEOUT)));

    private final LinkService links;

    LinkRoutes(LinkService links) {
        this.links = links;
    }

    static boolean areFor(String path) {
        return ROUTES.areFor(path);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        return ROUTES.answer(request, () -> LinkJson.links(links.view(), links.runs()), this::perform);
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
