package io.spillway.conformance.driver;

import io.spillway.system.BrokerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The languages of conformance/drivers.yaml. */
public final class Languages {
    private static final String JAVA_DRIVER = "io.spillway.conformance.javadriver.JavaDriver";

    private Languages() {}

    /** All languages of the table, in its order, whether or not their drivers are there. */
    public static List<Language> load(Path root) {
        Path table = root.resolve("conformance/drivers.yaml");
        try {
            Object loaded = new Load(
                            LoadSettings.builder().setLabel(table.toString()).build())
                    .loadFromString(Files.readString(table));
            List<Language> languages = new ArrayList<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) loaded).entrySet()) {
                languages.add(language(root, entry.getKey().toString(), (Map<?, ?>) entry.getValue()));
            }
            return languages;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Language language(Path root, String name, Map<?, ?> entry) {
        return new Language(
                name,
                root.resolve(text(entry, "source")),
                root.resolve(text(entry, "directory")),
                words(root, entry, "build"),
                words(root, entry, "command"));
    }

    private static String text(Map<?, ?> entry, String key) {
        Object value = entry.get(key);
        if (value == null) {
            throw new IllegalArgumentException("an entry of drivers.yaml has no " + key);
        }
        return value.toString();
    }

    private static List<String> words(Path root, Map<?, ?> entry, String key) {
        List<String> words = new ArrayList<>();
        for (String word : text(entry, key).split(" ")) {
            if (word.equals("$java-driver")) {
                words.addAll(BrokerProcess.java(JAVA_DRIVER));
            } else if (!word.isEmpty()) {
                words.add(word.replace("$root", root.toString()));
            }
        }
        return words;
    }
}
