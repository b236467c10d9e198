package io.spillway.broker.toggles;

import io.spillway.protocol.Rollout;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All toggles that are set, at one revision. Immutable. */
public final class Toggles {
    public static final Toggles NONE = new Toggles(0, List.of());

    private final long revision;
    private final Map<String, Toggle> byName = new HashMap<>();

    public Toggles(long revision, Collection<Toggle> set) {
        this.revision = revision;
        set.forEach(toggle -> byName.put(toggle.name(), toggle));
    }

    /** Grows with each change. */
    public long revision() {
        return revision;
    }

    public Collection<Toggle> all() {
        return List.copyOf(byName.values());
    }

    /** Null when nobody set it. */
    public @Nullable Toggle find(String name) {
        return byName.get(name);
    }

    /** Its setting as it is for those like this one: who is not in its scope is in no share. */
    public ToggleSetting seenBy(Toggle toggle, ToggleUnit unit) {
        ToggleSetting setting = toggle.setting();
        return unit.isIn(setting.scope())
                ? setting
                : new ToggleSetting(setting.value(), 0, setting.scope(), setting.expiresMs());
    }

    /** What it is for one of those it concerns. */
    public String value(String name, ToggleUnit unit) {
        Toggle toggle = byName.get(name);
        return toggle == null ? KnownToggles.get(name, null).fallback() : value(toggle, unit);
    }

    private static String value(Toggle toggle, ToggleUnit unit) {
        ToggleSetting setting = toggle.setting();
        List<String> values = toggle.definition().values();
        if (!values.isEmpty() && !values.contains(setting.value())) {
            // Set by a broker that knows more of them.
            return toggle.definition().fallback();
        }
        boolean isIn = unit.isIn(setting.scope()) && Rollout.includes(toggle.name(), unit.id(), setting.rolloutBp());
        return isIn ? setting.value() : toggle.definition().fallback();
    }

    public boolean isOn(String name, ToggleUnit unit) {
        return value(name, unit).equals(ToggleDefinition.ON);
    }
}
