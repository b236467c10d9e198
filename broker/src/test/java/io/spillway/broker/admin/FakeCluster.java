package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.ClusterStatus.Node;
import io.spillway.broker.replication.ClusterStatus.Role;
import io.spillway.broker.replication.Origin;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.replication.ReplicationException;
import io.spillway.broker.replication.ReplicationException.Kind;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Voters n1 in a and n2 in b, a listener n3 in c; changes take as long as the test wants. */
public final class FakeCluster implements ClusterControl {
    public final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    public final BlockingQueue<Origin> origins = new LinkedBlockingQueue<>();
    public volatile CompletableFuture<Void> change = new CompletableFuture<>();
    public volatile @Nullable String leader;
    public volatile String stopped = "";
    public volatile String stoppedNext = "";
    public volatile String returning = "";
    public volatile String behind = "";
    public volatile List<String> quarantine = List.of();
    public volatile boolean isStarted = true;
    /** Of n3, as the leader sees it. */
    public volatile long lag = 5;

    public volatile long contactMs = 40;
    volatile @Nullable CompletableFuture<ClusterStatus> leadersAnswer;
    private final String self;

    public FakeCluster(String self, String leader) {
        this.self = self;
        this.leader = leader;
    }

    private static Peer peer(int number) {
        return new Peer(
                "n" + number, "" + "abc".charAt(number - 1), "127.0.0.1:730" + number, "127.0.0.1:740" + number);
    }

    private ClusterStatus status(String of, boolean hasFigures) {
        String leads = leader;
        List<Node> nodes = Stream.of(1, 2, 3)
                .map(number -> new Node(
                        peer(number),
                        number == 3 ? Role.LISTENER : Role.VOTER,
                        ("n" + number).equals(leads),
                        hasFigures ? 100 : ClusterStatus.UNKNOWN,
                        !hasFigures ? ClusterStatus.UNKNOWN : number == 3 ? lag : 0,
                        !hasFigures ? ClusterStatus.UNKNOWN : number == 3 ? 10 * lag : 0,
                        !hasFigures ? ClusterStatus.UNKNOWN : number == 3 ? contactMs : 0))
                .toList();
        return new ClusterStatus(
                "spillway", "c1", of, 3, 100, 100, 99, leads == null ? null : peer(leads.charAt(1) - '0'), nodes);
    }

    private void requireStarted() {
        if (!isStarted) {
            throw new SpillwayException(Code.NOT_READY, "the node is about to start", "it has not joined", "try again");
        }
    }

    @Override
    public ClusterStatus status() {
        requireStarted();
        return status(self, false);
    }

    @Override
    public String stopped() {
        return stopped;
    }

    @Override
    public String stoppedNext() {
        return stoppedNext;
    }

    @Override
    public String behind() {
        return behind;
    }

    @Override
    public String returning() {
        return returning;
    }

    @Override
    public List<String> quarantine() {
        return quarantine;
    }

    @Override
    public CompletableFuture<ClusterStatus> leaderStatus() {
        CompletableFuture<ClusterStatus> given = leadersAnswer;
        if (given != null) {
            return given;
        }
        String leads = leader;
        return leads == null
                ? CompletableFuture.failedFuture(new ReplicationException(Kind.NOT_LEADER, "nobody leads"))
                : CompletableFuture.completedFuture(status(leads, true));
    }

    private CompletableFuture<Void> asked(Origin origin, String what) {
        requireStarted();
        origins.add(origin);
        asked.add(what);
        return change;
    }

    @Override
    public CompletableFuture<Void> add(Peer node, Origin origin) {
        return asked(
                origin,
                "add " + node.id() + " " + node.zone() + " " + node.clusterAddress() + " " + node.clientAddress());
    }

    @Override
    public CompletableFuture<Void> remove(String id, Origin origin) {
        return asked(origin, "remove " + id);
    }

    @Override
    public CompletableFuture<Void> transferTo(String id, int timeoutMs, Origin origin) {
        return asked(origin, "transfer " + id + " " + timeoutMs);
    }

    @Override
    public CompletableFuture<Void> promote(String id, Origin origin) {
        return asked(origin, "promote " + id);
    }
}
