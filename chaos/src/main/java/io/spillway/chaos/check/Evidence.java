package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** What the rules look at: the history, ordered by record, and what each replica has stored. */
public final class Evidence {
    /** What is known of one record. */
    static final class Life {
        final List<Event.Invoked> invoked = new ArrayList<>();
        final List<Event.Acked> acked = new ArrayList<>();
        final List<Event.Failed> failed = new ArrayList<>();
    }

    private final List<Event> events;
    private final NavigableMap<String, StoredLog> replicas;
    private final Map<String, Life> lives = new LinkedHashMap<>();

    /** @param replicas node to what it has stored */
    public Evidence(List<Event> events, Map<String, StoredLog> replicas) {
        this.events = events;
        this.replicas = new TreeMap<>(replicas);
        Map<String, Boolean> altered = new HashMap<>();
        for (Event event : events) {
            if (event instanceof Event.Invoked invoked) {
                altered.put(call(invoked.who(), invoked.call(), invoked.id()), invoked.altered());
                if (!invoked.altered()) {
                    life(invoked.id()).invoked.add(invoked);
                }
            } else if (event instanceof Event.Acked acked
                    && !altered.getOrDefault(call(acked.who(), acked.call(), acked.id()), false)) {
                life(acked.id()).acked.add(acked);
            } else if (event instanceof Event.Failed failed
                    && !altered.getOrDefault(call(failed.who(), failed.call(), failed.id()), false)) {
                life(failed.id()).failed.add(failed);
            }
        }
    }

    static String call(String who, long call, String id) {
        return who + " " + call + " " + id;
    }

    private Life life(String id) {
        return lives.computeIfAbsent(id, name -> new Life());
    }

    List<Event> events() {
        return events;
    }

    <E extends Event> List<E> events(Class<E> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }

    /** The records by name; what was another payload under a known key is not part of it. */
    Map<String, Life> lives() {
        return lives;
    }

    NavigableMap<String, StoredLog> replicas() {
        return replicas;
    }
}
