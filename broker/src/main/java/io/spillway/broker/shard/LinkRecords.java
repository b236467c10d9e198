package io.spillway.broker.shard;

import io.spillway.broker.records.LinkKept;
import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecord;
import java.util.LinkedHashMap;
import java.util.Map;

/** The links that end here, as shard 0 remembers them. Confined to the shard thread. */
final class LinkRecords {
    final Map<String, LinkKept> links = new LinkedHashMap<>();

    /** One record of the kinds that speak of links. */
    void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case LINK_KEPT -> links.put(record.getLinkKept().getName(), record.getLinkKept());
            case LINK_DROPPED -> links.remove(record.getLinkDropped().getName());
            default -> throw new IllegalArgumentException("not of links: " + record.getKindCase());
        }
    }

    void snapshot(Snapshot.Builder out) {
        out.addAllLinks(links.values());
    }

    void restore(Snapshot from) {
        from.getLinksList().forEach(link -> links.put(link.getName(), link));
    }
}
