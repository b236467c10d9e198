package io.spillway.broker.shard;

import io.spillway.protocol.v1.Durability;
import io.spillway.protocol.v1.ItemError;
import io.spillway.protocol.v1.KeyResult;
import java.util.List;

/**
 * What became of one batch.
 *
 * @param baseOffset offset of its first stored record; of the first copy's when {@code duplicate}; -1 when a duplicate is
 *     older than what the broker remembers of its offset
 * @param keyResults records left out because their idempotency key was known, with their first result
 * @param errors records refused
 * @param queueUs time from arrival to append
 * @param syncUs time from append to the durability reached
 */
public record PublishOutcome(
        long baseOffset,
        Durability reached,
        boolean duplicate,
        long appendTimeMs,
        List<KeyResult> keyResults,
        List<ItemError> errors,
        int queueUs,
        int syncUs) {}
