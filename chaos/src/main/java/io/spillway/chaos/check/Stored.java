package io.spillway.chaos.check;

import io.spillway.chaos.history.Event;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** What clients were told against what replicas have. */
final class Stored {
    private Stored() {}

    /** An acked record is on every replica, at the offset of the ack, with the value it was written with. */
    static void nothingAckedIsLost(Evidence evidence, Consumer<String> broken) {
        evidence.replicas().forEach((node, log) -> {
            Map<String, List<StoredRecord>> stored = byId(log);
            Map<Integer, Integer> logOf = new HashMap<>();
            evidence.lives().forEach((id, life) -> {
                for (Event.Acked ack : life.acked) {
                    if (!isAt(ack, stored.getOrDefault(id, List.of()), logOf)) {
                        broken.accept(node + " has " + stored.getOrDefault(id, List.of()) + ", and acked was " + ack);
                    }
                }
            });
        });
    }

    /** @param logOf a partition to its number in the log, learned from the first ack of it */
    private static boolean isAt(Event.Acked ack, List<StoredRecord> stored, Map<Integer, Integer> logOf) {
        for (StoredRecord record : stored) {
            if (record.offset() == ack.offset()
                    && record.whole()
                    && logOf.computeIfAbsent(ack.partition(), partition -> record.log()) == record.log()) {
                return true;
            }
        }
        return false;
    }

    static Map<String, List<StoredRecord>> byId(StoredLog log) {
        Map<String, List<StoredRecord>> byId = new HashMap<>();
        log.records()
                .forEach(record -> byId.computeIfAbsent(record.id(), id -> new ArrayList<>())
                        .add(record));
        return byId;
    }

    /** No record is stored twice: neither one that was repeated with its key nor one that its client sent again. */
    static void nothingIsStoredTwice(Evidence evidence, Consumer<String> broken) {
        evidence.replicas()
                .forEach((node, log) -> byId(log).forEach((id, records) -> {
                    if (records.size() > 1) {
                        broken.accept(node + " has " + records);
                    }
                }));
    }

    /** All acks of one key name one place. */
    static void acksAgree(Evidence evidence, Consumer<String> broken) {
        evidence.lives().forEach((id, life) -> {
            Set<String> places = new HashSet<>();
            life.acked.forEach(ack -> places.add(ack.partition() + "@" + ack.offset()));
            if (places.size() > 1) {
                broken.accept(id + " was acked at " + places);
            }
        });
    }

    /** An ack says at least what was asked for. */
    static void acksSayQuorum(Evidence evidence, Consumer<String> broken) {
        for (Event.Acked ack : evidence.events(Event.Acked.class)) {
            if (!ack.durability().equalsIgnoreCase("quorum") || ack.degraded()) {
                broken.accept("not as durable as asked: " + ack);
            }
        }
    }

    /** A record that was refused each time it was given, with a known outcome, is not stored. */
    static void whatWasRefusedIsNotStored(Evidence evidence, Consumer<String> broken) {
        evidence.replicas().forEach((node, log) -> {
            Map<String, List<StoredRecord>> stored = byId(log);
            evidence.lives().forEach((id, life) -> {
                boolean isRefused = life.acked.isEmpty()
                        && life.failed.size() == life.invoked.size()
                        && !life.failed.isEmpty()
                        && life.failed.stream()
                                .noneMatch(failed -> failed.failure().isUnknown());
                if (isRefused && stored.containsKey(id)) {
                    broken.accept(node + " has " + stored.get(id) + ", which was refused: " + life.failed);
                }
            });
        });
    }

    /** What nobody has written is not there. */
    static void nothingIsMadeUp(Evidence evidence, Consumer<String> broken) {
        evidence.replicas()
                .forEach((node, log) -> log.records().forEach(record -> {
                    if (!record.whole() || !evidence.lives().containsKey(record.id())) {
                        broken.accept(node + " has " + record + ", which nobody wrote so");
                    }
                }));
    }

    /** Another payload under a key that was acked is refused. */
    static void anotherPayloadIsRefused(Evidence evidence, Consumer<String> broken) {
        Set<String> altered = new HashSet<>();
        for (Event event : evidence.events()) {
            if (event instanceof Event.Invoked invoked && invoked.altered()) {
                altered.add(Evidence.call(invoked.who(), invoked.call(), invoked.id()));
            } else if (event instanceof Event.Acked acked
                    && altered.contains(Evidence.call(acked.who(), acked.call(), acked.id()))) {
                broken.accept("another payload was acked: " + acked);
            }
        }
    }

    /** All replicas have the same batches in every partition. */
    static void replicasAreIdentical(Evidence evidence, Consumer<String> broken) {
        evidence.replicas().forEach((node, log) -> {
            String first = evidence.replicas().firstKey();
            if (!log.digests()
                    .equals(evidence.replicas().firstEntry().getValue().digests())) {
                broken.accept(first + " has "
                        + evidence.replicas().firstEntry().getValue().digests() + " and " + node + " has "
                        + log.digests());
            }
        });
    }
}
