package io.spillway.bench.peers;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What the command line says; the flags are those of the load for Go. */
record Plan(
        String load,
        String endpoint,
        String authority,
        String run,
        String settings,
        boolean synced,
        boolean keyed,
        boolean idempotent,
        int size,
        int producers,
        int topics,
        int replicas,
        int rate,
        long records,
        double seconds,
        double warmUp) {

    private static final Set<String> SWITCHES = Set.of("keyed", "idempotent");

    static Plan parse(String[] args) {
        if (args.length == 0) {
            throw new IllegalArgumentException("what to do is missing; next: publish|group|latency|drain|first");
        }
        Map<String, String> given = new HashMap<>();
        for (int i = 1; i < args.length; i++) {
            String name = args[i].replaceFirst("^--", "");
            boolean last = i + 1 == args.length;
            if (SWITCHES.contains(name)) {
                given.put(name, "true");
            } else if (last) {
                throw new IllegalArgumentException(args[i] + " has no value");
            } else {
                given.put(name, args[++i]);
            }
        }
        return new Plan(
                args[0],
                given.getOrDefault("endpoint", ""),
                given.getOrDefault("tls-authority", ""),
                given.getOrDefault("run", "run"),
                given.getOrDefault("settings", ""),
                given.getOrDefault("durability", "default").equals("synced"),
                given.containsKey("keyed"),
                given.containsKey("idempotent"),
                Integer.parseInt(given.getOrDefault("size", "256")),
                Integer.parseInt(given.getOrDefault("producers", "1")),
                Integer.parseInt(given.getOrDefault("topics", "1")),
                Integer.parseInt(given.getOrDefault("replicas", "1")),
                Integer.parseInt(given.getOrDefault("rate", "10000")),
                Long.parseLong(given.getOrDefault("records", "500000")),
                Double.parseDouble(given.getOrDefault("seconds", "5")),
                Double.parseDouble(given.getOrDefault("warm-up", "2")));
    }

    Plan of(int otherTopics, int otherProducers, String otherRun) {
        return new Plan(
                load, endpoint, authority, otherRun, settings, synced, keyed, idempotent, size, otherProducers,
                otherTopics, replicas, rate, records, seconds, warmUp);
    }
}
