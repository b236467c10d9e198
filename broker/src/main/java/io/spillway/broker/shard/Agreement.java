package io.spillway.broker.shard;

import io.netty.buffer.ByteBuf;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.records.Agreed;
import io.spillway.broker.records.StateRecords;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes up what the cluster agreed on, in its order, and knows whether this shard leads. Of the entries, those count that
 * belong to the newest session and follow one another in it; which these are, every node finds alike, so that an entry
 * that an old leader, or a leader's earlier try, still gets into the Raft log does nothing anywhere.
 *
 * <pre>
 *  FOLLOWING --Lead--> BEGINNING --the session's first entry--> LEADING --Follow, Refused, a newer session--> LOST
 * </pre>
 *
 * A shard that has LOST is opened anew from its log, which holds only what was agreed on. Confined to the shard thread.
 */
final class Agreement {
    private static final Logger LOG = LoggerFactory.getLogger(Agreement.class);
    private static final long NOBODY = -1;
    /** A session's fences: more than a leader gives leases in a session of hours. */
    private static final int FENCE_BITS = 30;

    enum Role {
        /** Applies what others propose; reads are answered. */
        FOLLOWING,
        /** Elected; waits until everything of the leaders before is applied. */
        BEGINNING,
        /** Decides. */
        LEADING,
        /** Was leading, and has decided what may never be agreed on. */
        LOST
    }

    private final ShardState state;
    private final Journal journal;
    private final AgreedLedger ledger;
    private final Consensus consensus;
    /** Not applied yet; outlives a shard that is opened anew. */
    private final ArrayDeque<ShardCommand.Agreement> waiting;

    private final Replication replication;

    private Role role = Role.FOLLOWING;
    private long term = NOBODY;
    private ShardCommand.@Nullable Replace replacement;
    /** An entry could not be taken up whole: the disk has no room. */
    private boolean full;

    Agreement(ShardState state, Journal journal, AgreedLedger ledger, Replication replication) {
        this.state = state;
        this.journal = journal;
        this.ledger = ledger;
        this.replication = replication;
        consensus = replication.consensus();
        waiting = replication.waiting();
    }

    boolean leads() {
        return role == Role.LEADING;
    }

    boolean hasLost() {
        return role == Role.LOST;
    }

    /** Whether nothing is half applied, or decided and not agreed on: what memory holds is what was agreed on. */
    boolean isQuiet() {
        return !full && ledger.isQuiet();
    }

    /** For how long the oldest entry has waited to be agreed on, in ms. */
    int lagMs(long nowNs) {
        return ledger.lagMs(nowNs);
    }

    boolean isFull() {
        return ledger.isFull();
    }

    /** With what the log is to be replaced before the shard is opened anew; null when it is to stay. */
    ShardCommand.@Nullable Replace replacement() {
        return replacement;
    }

    /** Everything up to this entry is in the shard's files, synced. */
    void durable(Agreed upTo) {
        consensus.durable(upTo);
    }

    void add(ShardCommand.Agreement command) {
        waiting.add(command);
    }

    /** Applies what waits, as far as it can; how much that was. */
    int doWork() {
        int work = 0;
        ShardCommand.Agreement next;
        while (role != Role.LOST && (next = waiting.peek()) != null && take(next)) {
            waiting.poll();
            work++;
        }
        return work;
    }

    /** False when it has to be tried again. */
    private boolean take(ShardCommand.Agreement command) {
        if (command instanceof ShardCommand.Committed committed) {
            return apply(committed);
        } else if (command instanceof ShardCommand.Lead lead) {
            return lead(lead.term());
        } else if (command instanceof ShardCommand.Refused refused) {
            if (refused.session() == ledger.session() && role != Role.FOLLOWING) {
                lose(refused.why().toString());
            }
            return true;
        } else if (command instanceof ShardCommand.Replace replace) {
            replacement = replace;
            role = Role.LOST;
            replication.damaged(false);
            return true;
        } else if (command instanceof ShardCommand.Follow) {
            if (role != Role.FOLLOWING) {
                lose("another node leads");
            }
            return true;
        }
        return true;
    }

    /** A shard that leads already, by an older election, is opened anew first and finds the command again. */
    private boolean lead(long newTerm) {
        if (replication.isDamaged()) {
            return true;
        }
        if (role != Role.FOLLOWING) {
            lose("it was elected again");
            return false;
        }
        term = newTerm;
        role = Role.BEGINNING;
        long last = state.agreed.getSession();
        ledger.begin(Math.max(newTerm << AgreedEntry.SESSION_BITS, last + 1));
        return true;
    }

    private void lose(String why) {
        LOG.info("event=leadership_lost shard={} session={} why=\"{}\"", state.shard, ledger.session(), why);
        role = Role.LOST;
        SpillwayException unknown = new SpillwayException(
                Code.REPLICATION_TIMEOUT,
                "the leader of shard " + state.shard + " changed",
                "whether the cluster agreed on what was under way is not known: " + why,
                "ask the new leader again; what was agreed on is not done twice");
        ledger.lose(unknown);
        journal.fail(unknown);
        consensus.leads(false);
    }

    /**
     * What the cluster agreed on cannot be read here, or not be taken up. It is not known what else is wrong, so that nothing
     * counts any more until the log is replaced; a leader forgets what it decided upon what it read.
     */
    void damaged(String why) {
        if (!replication.isDamaged()) {
            LOG.error(
                    "event=replica_damaged shard={} why=\"{}\" next=\"another node's log is fetched\"",
                    state.shard,
                    why);
        }
        replication.damaged(true);
        if (role != Role.FOLLOWING && role != Role.LOST) {
            lose("the log of this node is damaged: " + why);
        }
        consensus.damaged(why);
    }

    private boolean apply(ShardCommand.Committed committed) {
        if (replication.isDamaged()) {
            done(committed);
            return true;
        }
        ByteBuf bytes = committed.entry();
        AgreedEntry entry = new AgreedEntry(bytes);
        boolean own = role != Role.FOLLOWING && entry.session() == ledger.session();
        if (!counts(committed, entry)) {
            if (own) {
                lose("an entry before this one was refused");
                return false;
            }
            done(committed);
            return true;
        }
        if (!own && role != Role.FOLLOWING && entry.session() > ledger.session()) {
            lose("session " + entry.session() + " began");
            return false;
        }
        try {
            applyParts(committed, entry, own);
        } catch (SpillwayException e) {
            if (e.code() != Code.READ_ONLY) {
                throw e;
            }
            if (!full) {
                LOG.error("event=replica_full shard={} index={} {}", state.shard, committed.index(), e.toString());
            }
            full = true;
            return false;
        } catch (IllegalArgumentException | IllegalStateException | IndexOutOfBoundsException e) {
            LOG.error(
                    "event=entry_not_applied shard={} index={} next=\"none; another node's log is fetched\"",
                    state.shard,
                    committed.index(),
                    e);
            damaged("entry " + committed.index() + " does not follow what is here: " + e);
            return false;
        }
        full = false;
        if (own) {
            agreed(entry.ordinal());
        }
        done(committed);
        return true;
    }

    private void agreed(long ordinal) {
        ledger.agreed(ordinal);
        journal.answer();
        if (role == Role.BEGINNING) {
            role = Role.LEADING;
            state.fencesFrom(ledger.session() << FENCE_BITS);
            LOG.info("event=leadership_began shard={} term={} session={}", state.shard, term, ledger.session());
            consensus.leads(true);
        }
    }

    /** Whether the entry is the next one of its session, begins a newer one, or is the one that is half applied. */
    private boolean counts(ShardCommand.Committed committed, AgreedEntry entry) {
        Agreed last = state.agreed;
        if (committed.index() <= last.getIndex()) {
            return committed.index() == last.getIndex() && last.getPart() + 1 < entry.parts();
        }
        if (entry.ordinal() == 0) {
            return entry.session() > last.getSession()
                    && entry.session() >> AgreedEntry.SESSION_BITS == committed.term();
        }
        return entry.session() == last.getSession() && entry.ordinal() == last.getOrdinal() + 1;
    }

    /** @param own whether the effect on memory is there already */
    private void applyParts(ShardCommand.Committed committed, AgreedEntry entry, boolean own) {
        Agreed.Builder here = Agreed.newBuilder()
                .setTerm(committed.term())
                .setIndex(committed.index())
                .setSession(entry.session())
                .setOrdinal(entry.ordinal())
                .setParts(entry.parts());
        if (entry.parts() == 0) {
            append(new byte[0], here.build(), 0, null);
            return;
        }
        boolean goesOn = committed.index() == state.agreed.getIndex();
        int from = goesOn ? state.agreed.getPart() + 1 : 0;
        while (entry.next()) {
            if (entry.part() >= from) {
                apply(entry, here.setPart(entry.part()).build(), own);
            }
        }
    }

    private void apply(AgreedEntry entry, Agreed here, boolean own) {
        byte[] records = entry.state();
        ByteBuf batch = entry.batch();
        Partition partition = batch == null ? null : state.partitions.get(entry.partitionId());
        if (partition == null) {
            // The leader has deleted the topic meanwhile; nobody will read the batch.
            batch = null;
        }
        append(records, here, batch == null ? 0 : entry.partitionId(), batch);
        if (own) {
            return;
        }
        if (batch != null && partition != null) {
            state.applyBatch(partition, batch, Batches.isKeyed(batch, batch.readerIndex()));
            partition.synced(partition.endOffset);
            partition.show(partition.endOffset);
        }
        if (records.length > 0) {
            state.apply(parse(records));
        }
    }

    private void append(byte[] records, Agreed here, int partitionId, @Nullable ByteBuf batch) {
        byte[] place = StateRecords.newBuilder().setAgreed(here).build().toByteArray();
        byte[] all = new byte[records.length + place.length];
        System.arraycopy(records, 0, all, 0, records.length);
        System.arraycopy(place, 0, all, records.length, place.length);
        state.log.append(all, partitionId, batch, true);
        journal.appended(batch == null ? all.length : batch.readableBytes());
        state.agreedOn(here);
    }

    private static StateRecords parse(byte[] records) {
        try {
            return StateRecords.parseFrom(records);
        } catch (IOException e) {
            throw new IllegalStateException("records the cluster agreed on cannot be read; upgrade this node first", e);
        }
    }

    private static void done(ShardCommand.Committed committed) {
        committed.entry().release();
        committed.applied().run();
    }

    /** Refuses what only the leader does; false when it is something that every node does. */
    boolean refuses(ShardCommand command) {
        if (command instanceof ShardCommand.Publish publish) {
            publish.port().refused(publish, notLeading());
            publish.batch().release();
        } else if (command instanceof ShardCommand.Settle settle) {
            settle.reply().failed(notLeading());
        } else if (command instanceof ShardCommand.Asking asking && !isRead(asking)) {
            asking.reply().failed(notLeading());
        } else {
            return command instanceof ShardCommand.DeadLetterTopicWanted;
        }
        return true;
    }

    private static boolean isRead(ShardCommand.Asking command) {
        return command instanceof ShardCommand.SubscribeStream
                || command instanceof ShardCommand.DescribeTopic
                || command instanceof ShardCommand.DescribeGroups;
    }

    /** Gives the memory of what is on its way back. */
    void close() {
        ledger.close();
    }

    /** The answer to what only the leader does. */
    SpillwayException notLeading() {
        if (role == Role.BEGINNING) {
            return new SpillwayException(
                    Code.LEADER_ELECTION,
                    "the new leader is about to begin",
                    "it takes up what was agreed on before it",
                    "ask again in a moment",
                    100,
                    null);
        }
        return new SpillwayException(
                Code.NOT_LEADER,
                "this node does not lead the cluster",
                "another node was elected",
                "ask the leader; the connection is told who that is");
    }
}
