package io.spillway.broker.admin;

import io.spillway.broker.flow.Quota;
import io.spillway.broker.session.QuotaSettings;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** {@code GET /quotas}, {@code POST /quotas/set} and {@code /quotas/remove}, in JSON. Thread-safe. */
final class QuotaRoutes {
    static final String ROOT = "/quotas";

    private static final int MAX_NAME = 512;

    private static final ChangeRules RULES = new ChangeRules("quotas are", "quota", "quotas");
    private static final ChangeRoutes ROUTES = new ChangeRoutes(
            ROOT,
            RULES,
            "set and remove",
            Map.of(
                    "set", Set.of("scope", "name", "rate", "burst", "timeout_ms"),
                    "remove", Set.of("scope", "name", "timeout_ms")));

    private final QuotaSettings quotas;

    QuotaRoutes(QuotaSettings quotas) {
        this.quotas = quotas;
    }

    static boolean areFor(String path) {
        return ROUTES.areFor(path);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        return ROUTES.answer(request, this::show, this::perform);
    }

    private CompletableFuture<String> perform(String change, Map<String, String> query) {
        Quota.Scope scope = scope(query);
        String name = name(scope, query);
        String by = query.getOrDefault(AdminRequest.BY, "");
        String who = by.isEmpty() ? "http" : "http by " + by;
        CompletableFuture<Boolean> done =
                change.equals("set") ? quotas.set(quota(scope, name, query), who) : quotas.remove(scope, name, who);
        return done.thenApply(ok -> done(change, scope, name));
    }

    private static Quota.Scope scope(Map<String, String> query) {
        String text = query.getOrDefault("scope", "");
        return Arrays.stream(Quota.Scope.values())
                .filter(scope -> scope.text().equals(text))
                .findFirst()
                .orElseThrow(() -> RULES.invalid(
                        "the scope is " + text,
                        "there are "
                                + Arrays.stream(Quota.Scope.values())
                                        .map(Quota.Scope::text)
                                        .toList()));
    }

    private static String name(Quota.Scope scope, Map<String, String> query) {
        String name = query.getOrDefault("name", "");
        if (name.isEmpty() || name.length() > MAX_NAME) {
            throw RULES.invalid("the name has " + name.length() + " characters", "it must have 1 to " + MAX_NAME);
        }
        if (scope == Quota.Scope.CONNECTION && !name.equals(Quota.ANY)) {
            throw RULES.invalid("the name is " + name, "connections have no names: only * is possible");
        }
        if (scope == Quota.Scope.PRINCIPAL_TOPIC && !name.equals(Quota.ANY) && name.indexOf('/') < 1) {
            throw RULES.invalid("the name is " + name, "it must be CLIENT/TOPIC, or *");
        }
        return name;
    }

    private static Quota quota(Quota.Scope scope, String name, Map<String, String> query) {
        long rate = bytes("rate", query.getOrDefault("rate", ""));
        String burst = query.getOrDefault("burst", "");
        return Quota.of(scope, name, rate, burst.isEmpty() ? rate : bytes("burst", burst));
    }

    private static long bytes(String parameter, String text) {
        long bytes = text.matches("\\d{1,13}") ? Long.parseLong(text) : 0;
        if (bytes < 1 || bytes > 1L << 40) {
            throw RULES.invalid(parameter + " is " + text, "it must be from 1 to 2^40 bytes");
        }
        return bytes;
    }

    private String show() {
        List<Quota> sorted = quotas.all().all().stream()
                .sorted(Comparator.comparing(Quota::scope).thenComparing(Quota::name))
                .toList();
        return JsonObject.of(json -> {
            json.writeArrayFieldStart("quotas");
            for (Quota quota : sorted) {
                json.writeStartObject();
                json.writeStringField("scope", quota.scope().text());
                json.writeStringField("name", quota.name());
                json.writeNumberField("bytes_per_second", quota.rate().perSecond());
                json.writeNumberField("burst_bytes", quota.rate().burst());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private static String done(String change, Quota.Scope scope, String name) {
        return JsonObject.of(json -> {
            json.writeStringField("done", change);
            json.writeStringField("scope", scope.text());
            json.writeStringField("name", name);
        });
    }
}
