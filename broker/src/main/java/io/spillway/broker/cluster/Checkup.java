package io.spillway.broker.cluster;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ClusterId;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.RaftDirectory;
import io.spillway.broker.shard.Shard;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node of a cluster finds in its directory before it takes part, and how it comes back with that.
 *
 * @param cluster which cluster it was in; empty = in none, or that is lost, too
 * @param seeds whom to ask: what the operator says, and every node that is known from before
 * @param firstIndex where the cluster's log begins here; -1 = it has no entry
 */
public record Checkup(Diagnosis diagnosis, Optional<ClusterId> cluster, List<String> seeds, long firstIndex) {
    private static final Logger LOG = LoggerFactory.getLogger(Checkup.class);

    public Checkup {
        seeds = List.copyOf(seeds);
    }

    /**
     * Who this node is, as its settings say.
     *
     * @param address its own, where the other nodes reach it
     */
    public record Identity(String cluster, String id, String address, List<String> seeds) {
        public Identity {
            seeds = List.copyOf(seeds);
        }
    }

    /**
     * @param shard recovered, not started
     * @throws SpillwayException STORAGE_ERROR when the disk cannot be read; INVALID_ARGUMENT when the log is that of a broker
     *     that stood alone and would be lost
     */
    public static Checkup of(Identity self, MemberFiles files, Shard shard) {
        RaftDirectory.Found raft = raft(self, files);
        Set<String> seeds = new LinkedHashSet<>(self.seeds());
        raft.members().stream().map(Peer::clusterAddress).forEach(seeds::add);
        KnownMembers known = new KnownMembers(files.members());
        known.all().stream()
                .filter(peer -> !peer.id().equals(self.id()))
                .map(Peer::clusterAddress)
                .forEach(seeds::add);
        seeds.remove(self.address());
        Diagnosis diagnosis =
                Diagnosis.of(raft, shard.agreed(), files.replacement().isInstalled(), shard.losses(), !seeds.isEmpty());
        if (diagnosis.start() == Diagnosis.Start.AS_A_NEW_NODE && !diagnosis.isLoss() && shard.hasTopics()) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the data directory cannot join a cluster",
                    "it holds the topics of a broker that stood alone, which the cluster does not have",
                    "start it without --seed to begin a cluster with it, or use an empty directory");
        }
        return new Checkup(diagnosis, id(self, files).or(known::cluster), List.copyOf(seeds), raft.first());
    }

    private static Optional<ClusterId> id(Identity self, MemberFiles files) {
        try {
            return RaftDirectory.id(files.raft(), self.cluster());
        } catch (IOException e) {
            throw failed("the cluster's log in " + files.raft() + " cannot be used", e);
        }
    }

    private static RaftDirectory.Found raft(Identity self, MemberFiles files) {
        try {
            return RaftDirectory.inspect(files.raft(), self.cluster(), self.id());
        } catch (IOException e) {
            throw failed("the cluster's log in " + files.raft() + " cannot be read", e);
        }
    }

    /** Whether the shard's log must be let go and opened anew, because {@link #putAside} moves it. */
    public boolean isLogPutAside() {
        return diagnosis.isLogLost() && !seeds.isEmpty();
    }

    /**
     * Moves what cannot be used into quarantine. Nothing is moved when no other node is known, which could have a copy.
     *
     * @throws SpillwayException STORAGE_ERROR when it cannot be moved
     */
    public void putAside(MemberFiles files, Clock clock) {
        if (seeds.isEmpty()) {
            return;
        }
        long nowMs = clock.nowMs();
        if (diagnosis.isLogLost()) {
            move(files.log(), files, nowMs);
        }
        if (diagnosis.isVoteLost() && Files.exists(files.raft())) {
            move(files.raft(), files, nowMs);
        }
    }

    private void move(Path what, MemberFiles files, long nowMs) {
        try {
            Path kept = files.quarantine().take(what, diagnosis.reason(), nowMs);
            LOG.error(
                    "event=quarantined what={} why=\"{}\" kept={} next=\"it is fetched anew from the leader; delete what"
                            + " is kept when you do not need it\"",
                    what,
                    diagnosis.why(),
                    kept);
        } catch (IOException e) {
            throw failed(what + " is damaged and cannot be moved into quarantine", e);
        }
    }

    private static SpillwayException failed(String what, IOException e) {
        return new SpillwayException(
                Code.STORAGE_ERROR,
                what,
                e.toString(),
                "check the disk and the permissions of the data directory",
                0,
                e);
    }
}
