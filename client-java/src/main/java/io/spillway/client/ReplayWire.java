package io.spillway.client;

import io.spillway.protocol.v1.Error;
import java.util.stream.Stream;

/** Replay plans and jobs from the wire. */
final class ReplayWire {
    private ReplayWire() {}

    static ReplayPlan plan(io.spillway.protocol.v1.ReplayPlan wire) {
        return new ReplayPlan(
                wire.getId(),
                ReplaySelection.of(wire.getSelection()),
                state(ReplayPlan.State.values(), wire.getState()),
                wire.getRecords(),
                wire.getBytes(),
                wire.getFirstUnixMs(),
                wire.getLastUnixMs(),
                wire.getKeys(),
                wire.getKeysExact(),
                wire.getDuplicates(),
                wire.getScanned(),
                wire.getToScan(),
                wire.getCreatedUnixMs(),
                wire.hasError() ? text(wire.getError()) : "",
                wire.getPartitionsList().stream()
                        .map(range -> new ReplayPlan.Range(
                                range.getPartition(), range.getFrom(), range.getTo(), range.getRecords()))
                        .toList());
    }

    private static String text(Error error) {
        return String.join(
                "; ",
                Stream.of(error.getMessage(), error.getCause(), error.getNextStep())
                        .filter(part -> !part.isEmpty())
                        .toList());
    }

    static ReplayJob job(io.spillway.protocol.v1.ReplayJob wire) {
        return new ReplayJob(
                wire.getId(),
                wire.getPlanId(),
                wire.getTopic(),
                ReplayTarget.of(wire.getTarget()),
                new ReplayOptions(
                        wire.getReason(),
                        wire.getRate(),
                        wire.getStops().getErrors(),
                        wire.getStops().getDeadLetters(),
                        wire.getStops().getConsumerLag()),
                wire.getStartedBy(),
                state(ReplayJob.State.values(), wire.getState()),
                wire.getWhy(),
                wire.getStartedUnixMs(),
                wire.getEndedUnixMs(),
                wire.getRecords(),
                wire.getDone(),
                wire.getRedelivered(),
                wire.getAcked(),
                wire.getFailed(),
                wire.getOpen(),
                wire.getDuplicates(),
                wire.getErrors(),
                wire.getRateNow());
    }

    /** The last state counts for one that a newer broker knows. */
    private static <T> T state(T[] states, int wire) {
        return states[Math.min(Math.max(wire, 0), states.length - 1)];
    }
}
