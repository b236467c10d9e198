package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.session.ToggleSettings;
import io.spillway.broker.shard.ToggleChange;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleDefinition;
import io.spillway.broker.toggles.ToggleSetting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Toggles in JSON. */
final class ToggleJson {
    private ToggleJson() {}

    /** Those the broker knows, set or not, and those that were set for applications. */
    static String all(ToggleSettings toggles) {
        List<ToggleDefinition> definitions = new ArrayList<>(KnownToggles.all());
        toggles.all().all().stream()
                .map(Toggle::definition)
                .filter(definition -> definition.owner().isEmpty())
                .sorted(Comparator.comparing(ToggleDefinition::name))
                .forEach(definitions::add);
        return JsonObject.of(json -> {
            json.writeNumberField("revision", toggles.all().revision());
            json.writeArrayFieldStart("toggles");
            for (ToggleDefinition definition : definitions) {
                json.writeStartObject();
                write(json, definition);
                Toggle toggle = toggles.all().find(definition.name());
                if (toggle != null) {
                    write(json, toggle, toggles.isExpired(toggle));
                }
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private static void write(JsonGenerator json, ToggleDefinition definition) throws IOException {
        json.writeStringField("name", definition.name());
        json.writeStringField("kind", definition.kind().text());
        json.writeStringField("default", definition.fallback());
        json.writeStringField("share_of", definition.unit());
        json.writeStringField("owner", definition.owner().isEmpty() ? "applications" : definition.owner());
        json.writeStringField("what", definition.what());
        strings(json, "values", definition.values());
        strings(json, "scopes", definition.scopes());
    }

    private static void strings(JsonGenerator json, String field, List<String> all) throws IOException {
        json.writeArrayFieldStart(field);
        for (String one : all) {
            json.writeString(one);
        }
        json.writeEndArray();
    }

    private static void write(JsonGenerator json, Toggle toggle, boolean isExpired) throws IOException {
        json.writeNumberField("revision", toggle.revision());
        setting(json, "set", toggle.setting());
        setting(json, "before", toggle.before());
        json.writeNumberField("changed_ms", toggle.changedMs());
        json.writeNumberField("revert_at_ms", toggle.revertAtMs());
        json.writeBooleanField("expired", isExpired);
        json.writeStringField("by", toggle.why().who());
        json.writeStringField("reason", toggle.why().reason());
        json.writeStringField("ticket", toggle.why().ticket());
    }

    private static void setting(JsonGenerator json, String field, @Nullable ToggleSetting setting) throws IOException {
        if (setting == null) {
            json.writeNullField(field);
            return;
        }
        json.writeObjectFieldStart(field);
        json.writeStringField("value", setting.value());
        json.writeNumberField("rollout_bp", setting.rolloutBp());
        json.writeStringField("scope", setting.scope().toString());
        json.writeNumberField("expires_ms", setting.expiresMs());
        json.writeEndObject();
    }

    static String done(String change, ToggleChange.Done done) {
        return JsonObject.of(json -> {
            json.writeStringField("done", change);
            json.writeStringField("name", done.name());
            setting(json, "set", done.now());
            json.writeNumberField("revision", done.revision());
            json.writeNumberField("revert_at_ms", done.revertAtMs());
        });
    }
}
