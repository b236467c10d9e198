package io.spillway.broker.config;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The value of every setting, and where it came from. */
public final class EffectiveSettings {
    private record Entry(Object value, Origin origin) {}

    private final Map<String, Entry> entries = new LinkedHashMap<>();

    EffectiveSettings() {
        Settings.ALL.forEach(setting -> put(setting, setting.defaultText(), Origin.DEFAULT));
    }

    /** Replaces a value. Throws INVALID_ARGUMENT that says which key, what was found and what is allowed. */
    <T> void put(Setting<T> setting, String text, Origin origin) {
        Optional<T> value = setting.type().parser().apply(text);
        if (value.isEmpty()) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "setting " + setting.key() + " is '" + text + "' (from " + origin + ")",
                    "it must be " + setting.type().allowed(),
                    "correct it, or leave it out for the default "
                            + (setting.defaultText().isEmpty() ? "(empty)" : setting.defaultText()));
        }
        entries.put(setting.key(), new Entry(value.get(), origin));
    }

    @SuppressWarnings("unchecked") // put stores under a setting's key what its type parsed
    public <T> T get(Setting<T> setting) {
        return (T) entry(setting).value();
    }

    /** The value as text, in its shortest exact form. */
    public <T> String text(Setting<T> setting) {
        return setting.type().formatter().apply(get(setting));
    }

    public Origin origin(Setting<?> setting) {
        return entry(setting).origin();
    }

    private Entry entry(Setting<?> setting) {
        return Objects.requireNonNull(entries.get(setting.key()), setting.key());
    }
}
