package io.spillway.broker.cli;

import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Toggles as people read them. */
final class ToggleView {
    private static final String NEVER_SET = "-";

    private ToggleView() {}

    static String table(Map<String, @Nullable Object> answer) {
        Table table = new Table("NAME", "KIND", "DEFAULT", "SET", "REVISION", "NOTE");
        for (Map<String, @Nullable Object> toggle : LinkReport.objects(answer, "toggles")) {
            boolean isSet = toggle.get("set") != null;
            table.row(
                    AdminClient.text(toggle, "name"),
                    AdminClient.text(toggle, "kind"),
                    AdminClient.text(toggle, "default"),
                    setting(toggle, "set"),
                    isSet ? LinkReport.number(toggle, "revision") : NEVER_SET,
                    note(toggle));
        }
        return table.toString();
    }

    private static String note(Map<String, @Nullable Object> toggle) {
        if (Boolean.TRUE.equals(toggle.get("expired"))) {
            return "expired";
        }
        long revertAtMs = toggle.get("set") == null ? 0 : LinkReport.number(toggle, "revert_at_ms");
        return revertAtMs == 0 ? "" : "reverts at " + Instant.ofEpochMilli(revertAtMs);
    }

    static String details(Map<String, @Nullable Object> toggle) {
        StringBuilder text = new StringBuilder();
        line(text, "toggle", AdminClient.text(toggle, "name"));
        line(text, "what", AdminClient.text(toggle, "what"));
        line(text, "kind", AdminClient.text(toggle, "kind"));
        line(text, "values", String.valueOf(toggle.get("values")));
        line(text, "default", AdminClient.text(toggle, "default"));
        line(text, "share of", AdminClient.text(toggle, "share_of") + "s");
        line(text, "scopes", String.valueOf(toggle.get("scopes")));
        line(text, "owner", AdminClient.text(toggle, "owner"));
        line(text, "set", setting(toggle, "set"));
        if (toggle.get("set") != null) {
            line(text, "before", setting(toggle, "before"));
            line(text, "revision", String.valueOf(toggle.get("revision")));
            line(
                    text,
                    "changed",
                    Instant.ofEpochMilli(LinkReport.number(toggle, "changed_ms")) + " by "
                            + AdminClient.text(toggle, "by"));
            line(text, "reason", AdminClient.text(toggle, "reason"));
            line(text, "ticket", AdminClient.text(toggle, "ticket"));
            line(text, "note", note(toggle));
        }
        return text.toString().stripTrailing();
    }

    private static void line(StringBuilder text, String name, String value) {
        if (!value.isEmpty()) {
            text.append("%-10s %s%n".formatted(name, value));
        }
    }

    static String done(Map<String, @Nullable Object> answer) {
        long revertAtMs = LinkReport.number(answer, "revert_at_ms");
        return "toggle " + AdminClient.text(answer, "name") + " is " + setting(answer, "set") + ", revision "
                + LinkReport.number(answer, "revision")
                + (revertAtMs == 0
                        ? ""
                        : "; it is reverted at " + Instant.ofEpochMilli(revertAtMs) + " unless confirmed");
    }

    @SuppressWarnings("unchecked")
    private static String setting(Map<String, @Nullable Object> from, String field) {
        if (!(from.get(field) instanceof Map<?, ?> read)) {
            return "default";
        }
        Map<String, @Nullable Object> setting = (Map<String, @Nullable Object>) read;
        String scope = AdminClient.text(setting, "scope");
        double percent = LinkReport.number(setting, "rollout_bp") / 100.0;
        return AdminClient.text(setting, "value")
                + (percent == 100 ? "" : String.format(Locale.ROOT, " for %.2f %%", percent))
                + (scope.isEmpty() ? "" : " of " + scope);
    }
}
