package io.spillway.broker.admin;

import io.spillway.broker.auth.AccessRule;
import io.spillway.broker.auth.Credential;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Principals;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.session.AccessSettings;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * {@code GET /users}, {@code /acls} and {@code /tokens}, and {@code POST} below them: add, delete, revoke, in JSON. Of a password
 * only what proves it comes here, never itself. Thread-safe.
 */
final class AccessRoutes {
    private static final int MAX_TEXT = 512;
    private static final String BY = AdminRequest.BY;
    private static final String TIMEOUT = "timeout_ms";
    private static final ChangeRoutes USERS = new ChangeRoutes(
            "/users",
            new ChangeRules("users are", "user", "security"),
            "add and delete",
            Map.of("add", Set.of("credential", BY, TIMEOUT), "delete", Set.of("name", BY, TIMEOUT)));
    private static final Set<String> RULE = Set.of("effect", "principal", "resource", "name", "operation", BY, TIMEOUT);
    private static final ChangeRoutes RULES = new ChangeRoutes(
            "/acls",
            new ChangeRules("rules are", "acl", "security"),
            "add and delete",
            Map.of("add", RULE, "delete", RULE));
    private static final ChangeRoutes TOKENS = new ChangeRoutes(
            "/tokens",
            new ChangeRules("tokens are", "token", "security"),
            "revoke",
            Map.of("revoke", Set.of("id", "expires_ms", "reason", BY, TIMEOUT)));

    private final AccessSettings access;

    AccessRoutes(AccessSettings access) {
        this.access = access;
    }

    static boolean areFor(String path) {
        return USERS.areFor(path) || RULES.areFor(path) || TOKENS.areFor(path);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        if (USERS.areFor(request.path())) {
            return USERS.answer(request, this::users, this::changeUser);
        }
        return RULES.areFor(request.path())
                ? RULES.answer(request, this::rules, this::changeRule)
                : TOKENS.answer(request, this::tokens, this::revoke);
    }

    private String users() {
        return JsonObject.of(json -> {
            json.writeArrayFieldStart("users");
            for (String name : access.all().users().keySet().stream().sorted().toList()) {
                json.writeStartObject();
                json.writeStringField("name", name);
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private CompletableFuture<String> changeUser(String change, Map<String, String> query) {
        if (change.equals("delete")) {
            String name = text(USERS, query, "name");
            return access.dropUser(name, who(query)).thenApply(done -> done(change, name));
        }
        Credential credential;
        try {
            credential = Credential.parse(text(USERS, query, "credential"));
        } catch (IllegalArgumentException e) {
            throw USERS.rules().invalid("the credential cannot be read", String.valueOf(e.getMessage()));
        }
        return access.putUser(credential, who(query)).thenApply(done -> done(change, credential.user()));
    }

    private String rules() {
        return JsonObject.of(json -> {
            json.writeArrayFieldStart("rules");
            for (AccessRule rule : access.all().rules().all().stream()
                    .sorted(Comparator.comparing(AccessRule::key))
                    .toList()) {
                json.writeStartObject();
                json.writeStringField("principal", rule.principal());
                json.writeStringField("effect", rule.allows() ? "allow" : "deny");
                json.writeStringField("operation", rule.operation().text());
                json.writeStringField("resource", rule.resource().text());
                json.writeStringField("name", rule.pattern());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private CompletableFuture<String> changeRule(String change, Map<String, String> query) {
        AccessRule rule = rule(query);
        return (change.equals("add") ? access.putRule(rule, who(query)) : access.dropRule(rule, who(query)))
                .thenApply(done -> done(change, change.equals("add") ? rule.toString() : rule.key()));
    }

    private static AccessRule rule(Map<String, String> query) {
        String principal = text(RULES, query, "principal");
        boolean isNobody = !principal.equals(AccessRule.EVERYBODY)
                && !principal.equals(Principals.ANONYMOUS)
                && !Principals.isValid(principal);
        if (isNobody) {
            throw RULES.rules().invalid("the principal is " + principal, "it is no name that one can have");
        }
        Resource resource = Resource.of(text(RULES, query, "resource"))
                .orElseThrow(
                        () -> RULES.rules().invalid("there is no such resource", "there are topic, group and cluster"));
        Operation operation = Operation.of(text(RULES, query, "operation"))
                .orElseThrow(() -> RULES.rules()
                        .invalid(
                                "there is no such operation",
                                "there are all, read, write, describe, create, alter, delete, replay, chaos, drain, quota, "
                                        + "toggle and cluster"));
        String effect = query.getOrDefault("effect", "allow");
        if (!effect.equals("allow") && !effect.equals("deny")) {
            throw RULES.rules().invalid("the effect is " + effect, "it is allow or deny");
        }
        String name = query.getOrDefault("name", "");
        if (resource == Resource.CLUSTER != name.isEmpty() || !name.matches("[A-Za-z0-9._-]{0,200}\\*?")) {
            throw RULES.rules()
                    .invalid(
                            "the name is \"" + name + "\"",
                            "a topic or group is named, or the beginning of its name with a * behind; the cluster is not");
        }
        boolean isPrefix = name.endsWith("*");
        return new AccessRule(
                effect.equals("allow"),
                principal,
                resource,
                isPrefix ? name.substring(0, name.length() - 1) : name,
                isPrefix,
                operation);
    }

    private String tokens() {
        return JsonObject.of(json -> {
            json.writeArrayFieldStart("revoked");
            for (Map.Entry<String, Long> token : access.all().revoked().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .toList()) {
                json.writeStartObject();
                json.writeStringField("id", token.getKey());
                json.writeNumberField("expires_ms", token.getValue());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private CompletableFuture<String> revoke(String change, Map<String, String> query) {
        String id = text(TOKENS, query, "id");
        String until = query.getOrDefault("expires_ms", "");
        if (!until.matches("\\d{1,15}")) {
            throw TOKENS.rules().invalid("expires_ms is " + until, "it is when the token ends, in ms since 1970");
        }
        return access.revoke(id, Long.parseLong(until), who(query), query.getOrDefault("reason", ""))
                .thenApply(done -> done(change, id));
    }

    private static String who(Map<String, String> query) {
        String by = query.getOrDefault(BY, "");
        return by.isEmpty() ? "http" : "http by " + by;
    }

    private static String text(ChangeRoutes routes, Map<String, String> query, String parameter) {
        String text = query.getOrDefault(parameter, "");
        if (text.isEmpty() || text.length() > MAX_TEXT) {
            throw routes.rules()
                    .invalid(parameter + " has " + text.length() + " characters", "it must have 1 to " + MAX_TEXT);
        }
        return text;
    }

    private static String done(String change, String what) {
        return JsonObject.of(json -> {
            json.writeStringField("done", change);
            json.writeStringField("what", what);
        });
    }
}
