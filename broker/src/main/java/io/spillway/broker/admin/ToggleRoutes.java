package io.spillway.broker.admin;

import io.spillway.broker.session.ToggleSettings;
import io.spillway.broker.shard.ToggleChange;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleKind;
import io.spillway.broker.toggles.ToggleScope;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.protocol.Rollout;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** {@code GET /toggles}, {@code POST /toggles/set}, {@code /toggles/confirm} and {@code /toggles/revert}, in JSON. Thread-safe. */
final class ToggleRoutes {
    static final String ROOT = "/toggles";

    /** The value of what nobody sets any more. */
    private static final String DEFAULT = "default";

    private static final int MAX_TEXT = 1_024;
    private static final long MAX_REVERT_MS = 7L * 24 * 3_600 * 1_000;
    private static final Set<String> WHICH = Set.of("name", "expect_revision", "reason", "ticket", "by", "timeout_ms");

    private static final ChangeRules RULES = new ChangeRules("toggles are", "toggle", "toggles");
    private static final ChangeRoutes ROUTES = new ChangeRoutes(
            ROOT,
            RULES,
            "set, confirm and revert",
            Map.of(
                    "set",
                    Set.of(
                            "name",
                            "expect_revision",
                            "reason",
                            "ticket",
                            "by",
                            "timeout_ms",
                            "value",
                            "kind",
                            "rollout_bp",
                            "scope",
                            "expires_ms",
                            "revert_after_ms"),
                    "confirm",
                    WHICH,
                    "revert",
                    WHICH));

    private final ToggleSettings toggles;

    ToggleRoutes(ToggleSettings toggles) {
        this.toggles = toggles;
    }

    static boolean areFor(String path) {
        return ROUTES.areFor(path);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        return ROUTES.answer(request, () -> ToggleJson.all(toggles), this::perform);
    }

    private CompletableFuture<String> perform(String change, Map<String, String> query) {
        return toggles.change(asked(change, query)).thenApply(done -> ToggleJson.done(change, done));
    }

    private static ToggleChange asked(String change, Map<String, String> query) {
        String name = text(query, "name");
        long expect = query.containsKey("expect_revision")
                ? number(query, "expect_revision", Long.MAX_VALUE, 0)
                : ToggleChange.ANY;
        String by = text(query, "by");
        Toggle.Why why =
                new Toggle.Why(by.isEmpty() ? "http" : "http by " + by, text(query, "reason"), text(query, "ticket"));
        if (why.reason().isBlank()) {
            throw RULES.invalid("toggle " + name + " is not changed", "the reason is missing");
        }
        return switch (change) {
            case "set" ->
                ToggleChange.set(name, kind(text(query, "kind")), setting(query), expect, why)
                        .revertAfter(number(query, "revert_after_ms", MAX_REVERT_MS, 0));
            case "confirm" -> ToggleChange.confirm(name, expect, why);
            default -> ToggleChange.revert(name, expect, why);
        };
    }

    private static @Nullable ToggleKind kind(String text) {
        if (text.isEmpty()) {
            return null;
        }
        return Arrays.stream(ToggleKind.values())
                .filter(kind -> kind.text().equals(text))
                .findFirst()
                .orElseThrow(() -> RULES.invalid("the kind is " + text, "there are bool, percent and variant"));
    }

    private static @Nullable ToggleSetting setting(Map<String, String> query) {
        String value = text(query, "value");
        if (value.isEmpty()) {
            throw RULES.invalid("the value is missing", "give one, or " + DEFAULT + " to set it no more");
        }
        return value.equals(DEFAULT)
                ? null
                : new ToggleSetting(
                        value,
                        (int) number(query, "rollout_bp", Rollout.ALL, Rollout.ALL),
                        ToggleScope.parse(text(query, "scope")),
                        number(query, "expires_ms", Long.MAX_VALUE, 0));
    }

    private static String text(Map<String, String> query, String parameter) {
        String text = query.getOrDefault(parameter, "");
        if (text.length() > MAX_TEXT) {
            throw RULES.invalid(parameter + " has " + text.length() + " characters", "at most " + MAX_TEXT);
        }
        return text;
    }

    private static long number(Map<String, String> query, String parameter, long most, long otherwise) {
        String text = query.getOrDefault(parameter, "");
        if (text.isEmpty()) {
            return otherwise;
        }
        long number = text.matches("\\d{1,18}") ? Long.parseLong(text) : -1;
        if (number < 0 || number > most) {
            throw RULES.invalid(parameter + " is " + text, "it must be from 0 to " + most);
        }
        return number;
    }
}
