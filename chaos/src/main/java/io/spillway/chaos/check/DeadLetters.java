package io.spillway.chaos.check;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** What groups gave up. */
final class DeadLetters {
    private DeadLetters() {}

    /** A dead letter is a whole copy of a record that is stored where it says, and there is one of it for a group. */
    static void areCopies(Evidence evidence, Consumer<String> broken) {
        evidence.replicas().forEach((node, log) -> {
            Map<String, List<StoredRecord>> stored = Stored.byId(log);
            Set<String> seen = new HashSet<>();
            for (StoredDeadLetter dead : log.deadLetters()) {
                boolean isStored = stored.getOrDefault(dead.copy().id(), List.of()).stream()
                        .anyMatch(record -> record.offset() == dead.offset()
                                && record.key().equals(dead.copy().key()));
                if (!isStored || !dead.copy().whole()) {
                    broken.accept(node + " has " + dead + ", and stored is "
                            + stored.get(dead.copy().id()));
                }
                if (!seen.add(dead.group() + " " + dead.partition() + "@" + dead.offset())) {
                    broken.accept(node + " has " + dead + " twice");
                }
            }
        });
    }
}
