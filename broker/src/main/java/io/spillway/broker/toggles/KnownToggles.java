package io.spillway.broker.toggles;

import io.spillway.broker.base.NearestName;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Rollout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The toggles there are: those the broker asks, and, below {@value #APPLICATION}, whatever applications ask. */
public final class KnownToggles {
    /** Whether members of a SHARED group get shares by their health and load, or their turns one after the other. */
    public static final String DISPATCH_WEIGHTED = "dispatch.weighted";

    /** Whether members in another zone than the broker's get less. */
    public static final String DISPATCH_ZONE_BIAS = "dispatch.zone_bias";

    /** The least class of publishes that is refused whatever the pressure. */
    public static final String SHED_CLASS_MIN = "broker.shed_class_min";

    /** Whether an ack may say less than the durability asked for, where the publisher allows it. */
    public static final String ACK_DEGRADED_ALLOWED = "ack.degraded_allowed";

    /** What the names of applications' toggles begin with. */
    public static final String APPLICATION = "app.";

    /** Nothing is refused. */
    public static final String NONE = "none";

    private static final Pattern APPLICATION_NAME = Pattern.compile("app(\\.[a-z0-9_-]{1,60}){1,4}");
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final Map<String, ToggleDefinition> KNOWN = new LinkedHashMap<>();

    static {
        know(
                DISPATCH_WEIGHTED,
                ToggleKind.PERCENT,
                ToggleDefinition.ON,
                "group",
                List.of(ToggleScope.TOPIC),
                "dispatch",
                "members of SHARED groups get shares by health and load; off: their turns, whoever gets anything at all");
        know(
                DISPATCH_ZONE_BIAS,
                ToggleKind.PERCENT,
                ToggleDefinition.ON,
                "client",
                ToggleScope.OF_CLIENTS,
                "dispatch",
                "members in another zone get dispatch.other-zone-percent of a share; off: zones do not count");
        know(
                ACK_DEGRADED_ALLOWED,
                ToggleKind.PERCENT,
                ToggleDefinition.ON,
                "client",
                ToggleScope.OF_CLIENTS,
                "session",
                "publishers that allow it get acks of less than they asked for; off: they are refused like the others");
        KNOWN.put(
                SHED_CLASS_MIN,
                new ToggleDefinition(
                        SHED_CLASS_MIN,
                        ToggleKind.VARIANT,
                        NONE,
                        List.of(NONE, "1", "2", "3"),
                        "client",
                        ToggleScope.OF_CLIENTS,
                        "session",
                        "publishes of this class and higher ones are refused, whatever the pressure"));
    }

    private KnownToggles() {}

    private static void know(
            String name,
            ToggleKind kind,
            String fallback,
            String unit,
            List<String> scopes,
            String owner,
            String what) {
        KNOWN.put(name, new ToggleDefinition(name, kind, fallback, ToggleDefinition.SWITCH, unit, scopes, owner, what));
    }

    /** Those that the broker asks, in the order they are shown. */
    public static List<ToggleDefinition> all() {
        return List.copyOf(KNOWN.values());
    }

    /** Whether anybody would ask it. */
    public static boolean isKnown(String name) {
        return KNOWN.containsKey(name) || APPLICATION_NAME.matcher(name).matches();
    }

    /**
     * What is known of a name; of an application's it is told by its kind, null = on or off for a share. Throws NOT_FOUND
     * for one that nobody would ask.
     */
    public static ToggleDefinition get(String name, @Nullable ToggleKind kind) {
        ToggleDefinition known = KNOWN.get(name);
        if (known != null) {
            return known;
        }
        if (!isKnown(name)) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "there is no toggle " + name,
                    "there are " + String.join(", ", KNOWN.keySet()) + ", and any name that begins with " + APPLICATION,
                    NearestName.of(name, KNOWN.keySet())
                            .map(near -> "did you mean " + near + "?")
                            .orElse("see spillway toggle list"));
        }
        ToggleKind wanted = kind == null ? ToggleKind.PERCENT : kind;
        return new ToggleDefinition(
                name,
                wanted,
                wanted == ToggleKind.VARIANT ? "" : ToggleDefinition.OFF,
                wanted == ToggleKind.VARIANT ? List.of() : ToggleDefinition.SWITCH,
                "client",
                ToggleScope.OF_CLIENTS,
                "",
                "asked by applications");
    }

    /** Throws INVALID_ARGUMENT for a setting that this toggle cannot have. */
    public static void check(ToggleDefinition toggle, ToggleSetting setting) {
        if (toggle.values().isEmpty()
                ? !WORD.matcher(setting.value()).matches()
                : !toggle.values().contains(setting.value())) {
            throw invalid(
                    toggle.name() + " cannot be " + setting.value(),
                    toggle.values().isEmpty()
                            ? "a value has 1 to 64 letters, digits, dots, dashes and underscores"
                            : "it can be " + String.join(", ", toggle.values()));
        }
        int rollout = setting.rolloutBp();
        if (rollout < 0 || rollout > Rollout.ALL) {
            throw invalid("the rollout of " + toggle.name() + " is " + rollout, "it goes from 0 to " + Rollout.ALL);
        }
        if (toggle.kind() == ToggleKind.BOOL && rollout != Rollout.ALL) {
            throw invalid(
                    toggle.name() + " cannot be rolled out to " + rollout + " of " + Rollout.ALL,
                    "its kind is bool: it is one thing for all");
        }
        if (!setting.scope().isAll()
                && !toggle.scopes().contains(setting.scope().kind())) {
            throw invalid(
                    toggle.name() + " cannot be bound to a " + setting.scope().kind(),
                    "its scopes are " + String.join(", ", toggle.scopes()));
        }
    }

    private static SpillwayException invalid(String what, String why) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                what,
                why,
                "correct it; see spillway toggle show and docs/operations/toggles.md");
    }
}
