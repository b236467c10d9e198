package io.spillway.conformance.javadriver;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Objects by the names the scenarios gave them. A closed one keeps its name until another takes it. Thread-safe. */
final class Names<T> {
    private final String kind;
    private final Map<String, T> objects = new ConcurrentHashMap<>();

    Names(String kind) {
        this.kind = kind;
    }

    T get(Request request) {
        String name = request.text(kind);
        T object = objects.get(name);
        if (object == null) {
            throw new DriverException("no " + kind + " is named " + name);
        }
        return object;
    }

    void put(Request request, T object) {
        objects.put(request.text(kind), object);
    }

    Iterable<T> all() {
        return objects.values();
    }
}
