package io.spillway.chaos.history;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/** All events of a round in the order in which they were seen, also as lines of JSON in a file. Thread-safe. */
public final class History implements AutoCloseable {
    private final ObjectMapper json = new ObjectMapper();
    private final List<Event> events = new ArrayList<>();
    private final BufferedWriter file;
    private final long startNs = System.nanoTime();

    public History(Path path) {
        try {
            file = Files.newBufferedWriter(path, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public long nowNs() {
        return System.nanoTime() - startNs;
    }

    /** Notes what is made with the time that it is given, so that the order of the list is the order of time. */
    public synchronized <E extends Event> E add(LongFunction<E> event) {
        E made = event.apply(nowNs());
        events.add(made);
        try {
            ObjectNode line =
                    json.createObjectNode().put("event", made.getClass().getSimpleName());
            line.setAll((ObjectNode) json.valueToTree(made));
            file.write(line.toString());
            file.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return made;
    }

    public synchronized List<Event> events() {
        return List.copyOf(events);
    }

    @Override
    public synchronized void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
