package io.spillway.broker.toggles;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;

/**
 * To whom a setting is bound; the others have the fallback. Written {@code principal:billing}, {@code lang:go},
 * {@code zone:a} or {@code topic:orders}; empty = nobody in particular.
 */
public record ToggleScope(String kind, String name) {
    public static final String PRINCIPAL = "principal";
    public static final String LANG = "lang";
    public static final String ZONE = "zone";
    public static final String TOPIC = "topic";

    public static final ToggleScope ALL = new ToggleScope("", "");

    static final List<String> OF_CLIENTS = List.of(PRINCIPAL, LANG, ZONE);

    private static final int MAX_NAME = 256;

    /** Throws INVALID_ARGUMENT for what is none. */
    public static ToggleScope parse(String text) {
        if (text.isEmpty()) {
            return ALL;
        }
        int colon = text.indexOf(':');
        List<String> kinds = new ArrayList<>(OF_CLIENTS);
        kinds.add(TOPIC);
        String kind = text.substring(0, Math.max(0, colon));
        if (!kinds.contains(kind) || colon + 1 == text.length() || text.length() - colon - 1 > MAX_NAME) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the scope is " + text,
                    "it must be one of " + kinds + " with a name of at most " + MAX_NAME + " characters behind a colon",
                    "correct it; see docs/operations/toggles.md");
        }
        return new ToggleScope(kind, text.substring(colon + 1));
    }

    public boolean isAll() {
        return kind.isEmpty();
    }

    @Override
    public String toString() {
        return isAll() ? "" : kind + ":" + name;
    }
}
