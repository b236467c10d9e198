package io.spillway.broker.shard;

import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.idempotency.KeyWindow;
import io.spillway.broker.idempotency.ProducerStates;
import io.spillway.broker.records.ProducerAdvanced;
import io.spillway.broker.records.ProducerNamed;
import java.util.HashMap;
import java.util.Map;

/** One partition's state beside its log: offsets, producers, idempotency keys. Confined to the shard thread. */
final class Partition {
    final int id;
    final int index;
    final TopicState topic;
    final ProducerStates producers = new ProducerStates();
    final KeyWindow keys;
    final Map<String, ProducerNamed> named = new HashMap<>();
    /** Where the next batch goes. */
    long endOffset;
    /** Records below this have reached the topic's durability; consumers see no further. */
    long visibleEnd;

    Partition(int id, int index, TopicState topic) {
        this.id = id;
        this.index = index;
        this.topic = topic;
        TopicConfig config = topic.spec.config();
        keys = new KeyWindow(config.dedup().keys(), config.dedup().ms());
    }

    /** Records below this were forced to disk. */
    long syncedEnd;

    void synced(long end) {
        syncedEnd = Math.max(syncedEnd, end);
    }

    void show(long end) {
        if (end > visibleEnd) {
            visibleEnd = end;
            topic.ready();
        }
    }

    @Override
    public String toString() {
        return topic.spec.name() + "/" + index;
    }

    /** What a batch whose stored form is another than the one that was sent did to its producer. */
    void apply(ProducerAdvanced record) {
        producers.apply(
                record.getProducerId(),
                record.getEpoch(),
                record.getBaseSequence(),
                record.getCount(),
                record.getCrc(),
                record.getBaseOffset(),
                record.getAppendTimeMs());
    }
}
