package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** What groups got. */
final class Deliveries {
    private Deliveries() {}

    /** Every acked record came to every group. */
    static void everythingAckedIsDelivered(Evidence evidence, Iterable<String> groups, Consumer<String> broken) {
        Set<String> delivered = new HashSet<>();
        evidence.events(Event.Delivered.class)
                .forEach(one -> delivered.add(place(one.group(), one.partition(), one.offset()) + one.id()));
        for (String group : groups) {
            evidence.lives().forEach((id, life) -> {
                if (!life.acked.isEmpty()) {
                    Event.Acked ack = life.acked.get(0);
                    if (!delivered.contains(place(group, ack.partition(), ack.offset()) + id)) {
                        broken.accept("group " + group + " never got " + ack);
                    }
                }
            });
        }
    }

    /** What was acked by a consumer, and confirmed by the broker, comes no more. */
    static void nothingConfirmedComesAgain(Evidence evidence, Consumer<String> broken) {
        Map<String, Event.Confirmed> confirmed = new HashMap<>();
        for (Event event : evidence.events()) {
            if (event instanceof Event.Confirmed done) {
                confirmed.put(place(done.group(), done.partition(), done.offset()), done);
            } else if (event instanceof Event.Delivered again) {
                Event.Confirmed done = confirmed.get(place(again.group(), again.partition(), again.offset()));
                if (done != null) {
                    broken.accept(again + " after " + done);
                }
            }
        }
    }

    private static String place(String group, int partition, long offset) {
        return group + " " + partition + "@" + offset + " ";
    }
}
