package io.spillway.broker.shard;

import io.spillway.broker.records.LinkDropped;
import io.spillway.broker.records.StateRecord;
import java.util.List;

/** What links need of a shard: their records, and what {@link Mirroring} and {@link LinkSource} do. Confined to the shard thread. */
final class LinkAdministration {
    private final ShardState state;
    private final Journal journal;
    private final Mirroring mirroring;
    private final MirroredGroups groups;
    private final LinkSource source;
    private final Fencing fencing;

    /** @param endClosed ends the members of groups whose topics were taken elsewhere */
    LinkAdministration(
            ShardState state, Journal journal, TopicAdministration topics, Settling settling, Runnable endClosed) {
        this.state = state;
        this.journal = journal;
        mirroring = new Mirroring(state, journal, topics);
        groups = new MirroredGroups(state, journal);
        source = new LinkSource(state, journal, settling, endClosed);
        fencing = new Fencing(state, journal, topics);
    }

    /** Throws what refuses the command. */
    void answer(LinkCommand command, long nowMs) {
        if (command instanceof LinkCommand.Load load) {
            load.reply().ok(List.copyOf(state.links.links.values()));
        } else if (command instanceof LinkCommand.Keep keep) {
            commit(StateRecord.newBuilder().setLinkKept(keep.link()).build(), keep.reply());
        } else if (command instanceof LinkCommand.Drop drop) {
            commit(
                    StateRecord.newBuilder()
                            .setLinkDropped(LinkDropped.newBuilder().setName(drop.name()))
                            .build(),
                    drop.reply());
        } else if (command instanceof LinkCommand.Mirror mirror) {
            mirroring.mirror(mirror, nowMs);
        } else if (command instanceof LinkCommand.Append append) {
            mirroring.append(append);
        } else if (command instanceof LinkCommand.Groups all) {
            groups.copy(all);
        } else if (command instanceof LinkCommand.Open open) {
            mirroring.open(open);
        } else if (command instanceof LinkCommand.Fetch fetch) {
            fetch.reply().ok(source.fetch(fetch));
        } else if (command instanceof LinkCommand.Export export) {
            source.export(export);
        } else if (command instanceof LinkCommand.Fence fence) {
            fencing.fence(fence);
        } else if (command instanceof LinkCommand.Lift lift) {
            fencing.lift(lift);
        }
    }

    private void commit(StateRecord record, Reply<Boolean> reply) {
        journal.whenDurable(journal.commit(List.of(record)), new ReplyWhenDurable<>(true, reply));
    }
}
