package io.spillway.broker.config;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** A configuration file: YAML whose keys are nested, dotted, or both. Every value is taken as the text that stands there. */
final class ConfigFile {
    /** A key and the text of its value, in the order of the file. */
    record Line(String key, String text, Origin origin) {}

    private final Path file;
    private final List<Line> lines = new ArrayList<>();

    private ConfigFile(Path file) {
        this.file = file;
    }

    /** Reads it. Throws INVALID_ARGUMENT when it cannot be read or is not a mapping of settings. */
    static List<Line> read(Path file) {
        ConfigFile config = new ConfigFile(file);
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            LoadSettings settings =
                    LoadSettings.builder().setLabel(file.toString()).build();
            Optional<Node> root = new Compose(settings).composeReader(reader);
            root.ifPresent(node -> config.collect("", node));
        } catch (IOException e) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "cannot read the configuration file " + file,
                    e.getClass().getSimpleName() + ": " + e.getMessage(),
                    "give the path of a readable file with --config");
        } catch (MarkedYamlEngineException e) {
            String line =
                    e.getProblemMark().map(mark -> ":" + (mark.getLine() + 1)).orElse("");
            throw config.notYaml(line, e.getProblem());
        } catch (YamlEngineException e) {
            throw config.notYaml("", String.valueOf(e.getMessage()));
        }
        return config.lines;
    }

    private void collect(String prefix, Node node) {
        if (node instanceof MappingNode mapping) {
            for (NodeTuple pair : mapping.getValue()) {
                if (!(pair.getKeyNode() instanceof ScalarNode key)) {
                    throw notASetting(pair.getKeyNode(), "a key is not a word");
                }
                collect(prefix.isEmpty() ? key.getValue() : prefix + "." + key.getValue(), pair.getValueNode());
            }
        } else if (prefix.isEmpty()) {
            throw notASetting(node, "it is not a mapping of keys to values");
        } else if (node instanceof ScalarNode scalar) {
            lines.add(new Line(prefix, scalar.getValue(), new Origin(Origin.Kind.FILE, place(node))));
        } else {
            throw notASetting(node, "the value of " + prefix + " is a list");
        }
    }

    private String place(Node node) {
        return file
                + node.getStartMark().map(mark -> ":" + (mark.getLine() + 1)).orElse("");
    }

    private SpillwayException notASetting(Node node, String why) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "the configuration file is wrong at " + place(node),
                why,
                "write 'key: value' lines with the keys that 'spillway config show' prints");
    }

    private SpillwayException notYaml(String line, String why) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "the configuration file " + file + line + " is not YAML",
                why.replaceAll("\\s+", " "),
                "write 'key: value' lines with the keys that 'spillway config show' prints");
    }
}
