package io.spillway.broker.admin;

import io.spillway.broker.base.Clock;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.diagnose.NodeFacts;
import io.spillway.broker.shard.Mailbox;
import java.util.List;
import java.util.function.Supplier;

/**
 * What is looked at when somebody asks what is wrong.
 *
 * @param node what this node says of itself
 * @param shards the mailboxes of all shards
 */
public record Observed(Supplier<NodeFacts> node, List<Mailbox> shards, Supplier<TopicCatalog> catalog, Clock clock) {
    public Observed {
        shards = List.copyOf(shards);
    }
}
