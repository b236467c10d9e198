package io.spillway.conformance.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** Reads scenario files. Whatever it does not understand is an error that names the file and the step. */
public final class ScenarioFile {
    private static final Set<String> KEYS =
            Set.of("what", "actors", "broker", "proxies", "clients", "topic", "limit_s", "steps");
    private static final Set<String> STEP_KEYS = Set.of("expect", "error", "took_ms", "begin", "save", "eventually_ms");
    private static final Set<String> BROKER_OPERATIONS =
            Set.of("kill", "start", "stop", "terminate", "await_end", "pause", "resume");
    private static final int DEFAULT_LIMIT_S = 30;

    private final Path file;
    private final ObjectNode root;

    private ScenarioFile(Path file, ObjectNode root) {
        this.file = file;
        this.root = root;
    }

    /** All files of the directory, by name. */
    public static List<Scenario> readAll(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .map(ScenarioFile::read)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Scenario read(Path file) {
        try {
            return parse(file, Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param file whose name is the scenario's, and which errors name */
    static Scenario parse(Path file, String text) {
        try {
            Object loaded =
                    new Load(LoadSettings.builder().setLabel(file.toString()).build()).loadFromString(text);
            JsonNode node = new ObjectMapper().valueToTree(loaded);
            if (!(node instanceof ObjectNode object)) {
                throw new IllegalArgumentException(file + ": it is not a mapping");
            }
            return new ScenarioFile(file, object).scenario();
        } catch (YamlEngineException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException(file + ": " + what);
    }

    private Scenario scenario() {
        root.fieldNames().forEachRemaining(key -> {
            if (!KEYS.contains(key)) {
                throw wrong("unknown key " + key);
            }
        });
        String name = file.getFileName().toString().replace(".yaml", "");
        List<String> actors = texts("actors");
        if (actors.isEmpty() || actors.size() > 2) {
            throw wrong("a scenario has one actor or two");
        }
        JsonNode broker = root.path("broker");
        Map<String, String> settings = new LinkedHashMap<>();
        broker.properties().forEach(e -> settings.put(e.getKey(), e.getValue().asText()));
        if (broker.isTextual() && !broker.asText().equals("own")) {
            throw wrong("broker is either own or settings of an own one");
        }
        List<String> proxies = texts("proxies");
        Duration limit = Duration.ofSeconds(root.path("limit_s").asInt(DEFAULT_LIMIT_S));
        return new Scenario(
                name,
                required("what").asText(),
                actors,
                !broker.isMissingNode(),
                settings,
                proxies,
                clients(actors),
                root.get("topic") instanceof ObjectNode topic ? topic : null,
                limit,
                steps(actors, proxies));
    }

    private JsonNode required(String key) {
        JsonNode value = root.get(key);
        if (value == null) {
            throw wrong("it has no " + key);
        }
        return value;
    }

    private List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        root.path(key).forEach(value -> texts.add(value.asText()));
        return texts;
    }

    private Map<String, ObjectNode> clients(List<String> actors) {
        JsonNode given = root.path("clients");
        Map<String, ObjectNode> clients = new LinkedHashMap<>();
        given.fieldNames().forEachRemaining(actor -> {
            if (!actors.contains(actor)) {
                throw wrong("clients names " + actor + ", who is no actor");
            }
        });
        for (String actor : actors) {
            JsonNode client = given.path(actor);
            if (client instanceof ObjectNode settings) {
                clients.put(actor, settings);
            } else if (client.isMissingNode()) {
                clients.put(actor, root.objectNode());
            } else if (!client.asText().equals("none")) {
                throw wrong("the client of " + actor + " is either none or its settings");
            }
        }
        return clients;
    }

    private List<Step> steps(List<String> actors, List<String> proxies) {
        Set<String> whos = new HashSet<>(actors);
        whos.addAll(proxies);
        whos.addAll(List.of(Step.BROKER, Step.AWAIT));
        if (whos.size() != actors.size() + proxies.size() + 2) {
            throw wrong("actors and proxies need different names, other than broker and await");
        }
        List<Step> steps = new ArrayList<>();
        Set<String> started = new HashSet<>();
        for (JsonNode node : required("steps")) {
            Step step = step(whos, node);
            if (step.who().equals(Step.BROKER) && !BROKER_OPERATIONS.contains(step.what())) {
                throw wrong("unknown operation in " + step);
            }
            if (step.who().equals(Step.BROKER) && root.path("broker").isMissingNode()) {
                throw wrong(step + " needs a broker of its own");
            }
            if (!step.begin().isEmpty() && !started.add(step.begin())) {
                throw wrong(step.begin() + " is begun twice");
            }
            if (step.who().equals(Step.AWAIT) && !started.remove(step.what())) {
                throw wrong(step + ", which was not begun");
            }
            steps.add(step);
        }
        if (!started.isEmpty()) {
            throw wrong("nobody awaits " + started);
        }
        return steps;
    }

    private Step step(Set<String> whos, JsonNode node) {
        List<String> who = whos.stream().filter(node::has).toList();
        if (who.size() != 1) {
            throw wrong("a step has one of " + whos + ", not " + who + ": " + node);
        }
        ObjectNode arguments = node.deepCopy();
        String what = arguments.remove(who.get(0)).asText();
        Map<String, JsonNode> own = new LinkedHashMap<>();
        for (String key : STEP_KEYS) {
            JsonNode value = arguments.remove(key);
            if (value != null) {
                own.put(key, value);
            }
        }
        Map<String, String> save = new LinkedHashMap<>();
        own.getOrDefault("save", root.objectNode())
                .properties()
                .forEach(e -> save.put(e.getKey(), e.getValue().asText()));
        return new Step(
                who.get(0),
                what,
                arguments,
                own.get("expect"),
                own.get("error"),
                own.get("took_ms"),
                own.containsKey("begin") ? own.get("begin").asText() : "",
                save,
                own.containsKey("eventually_ms") ? own.get("eventually_ms").asLong() : 0);
    }
}
