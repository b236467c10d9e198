package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.diagnose.Check;
import io.spillway.broker.diagnose.Diagnosis;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** Diagnoses and checks as JSON. Thread-safe. */
final class DiagnosisJson {
    private DiagnosisJson() {}

    static String of(String node, List<Diagnosis> all) {
        return JsonObject.of(json -> {
            json.writeStringField("node", node);
            json.writeStringField("severity", Check.worst(all).name());
            json.writeBooleanField(
                    "ok", all.stream().noneMatch(each -> each.cause().isWrong()));
            all(json, all);
        });
    }

    static void all(JsonGenerator json, List<Diagnosis> all) throws IOException {
        write(json, "diagnoses", all);
    }

    private static void write(JsonGenerator json, String field, List<Diagnosis> all) throws IOException {
        json.writeArrayFieldStart(field);
        for (Diagnosis each : all) {
            json.writeStartObject();
            write(json, each);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void write(JsonGenerator json, Diagnosis each) throws IOException {
        json.writeStringField("about", each.about().toString());
        json.writeStringField("kind", each.about().kind().name().toLowerCase(Locale.ROOT));
        json.writeStringField("topic", each.about().topic());
        json.writeStringField("name", each.about().name());
        json.writeStringField("cause", each.cause().name());
        json.writeStringField("severity", each.cause().severity().name());
        json.writeStringField("what", each.cause().what());
        json.writeStringField("why", each.why());
        json.writeNumberField("since_ms", each.sinceMs());
        json.writeStringField("next_step", each.next());
        json.writeStringField("runbook", each.cause().runbook());
    }

    static void checks(JsonGenerator json, List<Check> checks) throws IOException {
        json.writeArrayFieldStart("checks");
        for (Check check : checks) {
            json.writeStartObject();
            json.writeStringField("check", check.area().text());
            json.writeStringField("severity", check.severity().name());
            write(json, "found", check.found());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
