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

    /**
     * What was acked by a consumer, and confirmed by the broker, comes no more. Somebody who stood still may have it all the
     * same, from before: then it was delivered to the other one later than to him.
     */
    static void nothingConfirmedComesAgain(Evidence evidence, Consumer<String> broken) {
        Map<String, Event.Confirmed> confirmed = new HashMap<>();
        Map<String, Integer> attempts = new HashMap<>();
        Set<String> stopped = new HashSet<>();
        for (Event event : evidence.events()) {
            if (event instanceof Event.Stopped still) {
                stopped.add(still.who());
            } else if (event instanceof Event.Confirmed done) {
                confirmed.put(place(done.group(), done.partition(), done.offset()), done);
            } else if (event instanceof Event.Delivered again) {
                String place = place(again.group(), again.partition(), again.offset());
                Event.Confirmed done = confirmed.get(place);
                boolean isOld = stopped.contains(again.who()) && again.attempt() < attempts.getOrDefault(place, 0);
                if (done != null && !isOld) {
                    broken.accept(again + " after " + done);
                }
                attempts.merge(place, again.attempt(), Math::max);
            }
        }
    }

    private static String place(String group, int partition, long offset) {
        return group + " " + partition + "@" + offset + " ";
    }
}
