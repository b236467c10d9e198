package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What stands in which order. */
final class Order {
    /** How many records of a key are under way at once, at most, and some more. */
    private static final int LOOKED_BACK = 40;

    private Order() {}

    /**
     * Records of one key are stored in the order in which they were given, where that is said: one was acked before the
     * other was given for the first time, or both were given in one call and acked at once.
     */
    static void keysAreInOrder(Evidence evidence, Consumer<String> broken) {
        Map<String, List<Evidence.Life>> byKey = new HashMap<>();
        evidence.lives().values().stream()
                .filter(life -> !life.invoked.isEmpty() && !life.acked.isEmpty())
                .forEach(life -> byKey.computeIfAbsent(life.invoked.get(0).key(), key -> new ArrayList<>())
                        .add(life));
        byKey.values().forEach(lives -> {
            // Lives stand in the order in which their records were first given, and a key has one writer.
            for (int i = 1; i < lives.size(); i++) {
                for (Evidence.Life before : lives.subList(Math.max(0, i - LOOKED_BACK), i)) {
                    if (isFirst(before, lives.get(i)) && offset(before) >= offset(lives.get(i))) {
                        broken.accept(before.acked.get(0) + " was before "
                                + lives.get(i).acked.get(0));
                    }
                }
            }
        });
    }

    private static boolean isFirst(Evidence.Life one, Evidence.Life other) {
        Event.Invoked first = one.invoked.get(0);
        Event.Invoked second = other.invoked.get(0);
        boolean isAckedBefore = one.acked.get(0).atNs() < second.atNs();
        boolean isInOneCall = first.call() == second.call()
                && one.acked.get(0).call() == first.call()
                && other.acked.get(0).call() == second.call();
        return isAckedBefore || isInOneCall;
    }

    private static long offset(Evidence.Life life) {
        return life.acked.get(0).offset();
    }

    /**
     * In the group that keeps the order of keys, first deliveries of a key come in the order of their offsets. Records without a
     * key have no order.
     */
    static void firstDeliveriesAreInOrder(Evidence evidence, String group, Consumer<String> broken) {
        Map<String, Event.Delivered> newest = new HashMap<>();
        Map<String, Boolean> seen = new HashMap<>();
        for (Event.Delivered delivered : evidence.events(Event.Delivered.class)) {
            boolean isFirst =
                    seen.putIfAbsent(delivered.group() + " " + delivered.partition() + "@" + delivered.offset(), true)
                            == null;
            if (!delivered.group().equals(group) || !isFirst || delivered.key().isEmpty()) {
                continue;
            }
            Event.Delivered before = newest.put(delivered.key(), delivered);
            if (before != null && before.partition() == delivered.partition() && before.offset() > delivered.offset()) {
                broken.accept(delivered + " came after " + before);
            }
        }
    }
}
