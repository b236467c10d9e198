package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/** Every call has an outcome, and every refusal says what, why and what to do. */
final class Reasons {
    private Reasons() {}

    static void everyFailureIsExplained(Evidence evidence, Consumer<String> broken) {
        evidence.events(Event.Failed.class).stream()
                .filter(failed -> !failed.failure().isExplained())
                .forEach(failed -> broken.accept(failed.toString()));
        evidence.events(Event.Trouble.class).stream()
                .filter(trouble -> !trouble.failure().isExplained())
                .forEach(trouble -> broken.accept(trouble.toString()));
    }

    static void everyCallHasAnOutcome(Evidence evidence, Consumer<String> broken) {
        Set<String> open = new HashSet<>();
        for (Event event : evidence.events()) {
            if (event instanceof Event.Invoked invoked) {
                open.add(Evidence.call(invoked.who(), invoked.call(), invoked.id()));
            } else if (event instanceof Event.Acked acked) {
                open.remove(Evidence.call(acked.who(), acked.call(), acked.id()));
            } else if (event instanceof Event.Failed failed) {
                open.remove(Evidence.call(failed.who(), failed.call(), failed.id()));
            }
        }
        open.forEach(call -> broken.accept("no outcome: " + call));
    }
}
