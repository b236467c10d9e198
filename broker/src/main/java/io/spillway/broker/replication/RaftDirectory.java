package io.spillway.broker.replication;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.thirdparty.com.google.protobuf.InvalidProtocolBufferException;
import org.apache.ratis.util.ProtoUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is on the disk of this node's part in the agreed log, read before Ratis opens it. Ratis takes a missing or unreadable
 * configuration for none, and a node that forms clusters would form another one then.
 *
 * <pre>
 * raft/ID/current/raft-meta               term and vote
 *                   raft-meta.conf        the newest configuration that was applied
 *                   log_0-41              a closed segment, with its first and last index
 *                   log_inprogress_42     the segment that is written
 * </pre>
 */
public final class RaftDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(RaftDirectory.class);
    private static final Pattern CLOSED = Pattern.compile("log_(\\d+)-(\\d+)");
    private static final Pattern OPEN = Pattern.compile("log_inprogress_(\\d+)");
    private static final long OPEN_ENDED = Long.MAX_VALUE;
    private static final long NONE = -1;

    private final Path root;
    private final Path current;

    private RaftDirectory(Path root, Path current) {
        this.root = root;
        this.current = current;
    }

    /**
     * What was found.
     *
     * @param exists whether this node took part before
     * @param damage why it cannot be used; empty when it can
     * @param first index of the first entry; -1 = there is none
     * @param last index of the last entry; -1 = there is none
     * @param members the other nodes of the newest configuration, as far as it can be read
     */
    public record Found(boolean exists, String damage, long first, long last, List<Peer> members) {
        static final Found NOTHING = new Found(false, "", NONE, NONE, List.of());

        public Found {
            members = List.copyOf(members);
        }

        static Found damaged(String why, List<Peer> members) {
            return new Found(true, why, NONE, NONE, members);
        }
    }

    private record Segment(Path file, long first, long last) {
        boolean isOpen() {
            return last == OPEN_ENDED;
        }
    }

    /**
     * Reads all of it. A last entry that was not written whole is cut off, and kept beside: it was never answered.
     *
     * @param self the id of this node
     * @throws IOException if the disk cannot be read
     */
    public static Found inspect(Path dir, String cluster, String self) throws IOException {
        Optional<Path> group = group(dir, cluster);
        return group.isEmpty()
                ? Found.NOTHING
                : new RaftDirectory(dir, group.get().resolve("current")).inspect(self);
    }

    /**
     * Removes all segments when they end before what the replica's files hold, and thus hold nothing more. Ratis does the
     * same, but for a segment without entries (3.3.0): it would take that for the place where its log goes on, and refuse
     * all that follows what the files hold.
     */
    static void removeSurpassed(Path dir, String cluster, RaftPoint durable) throws IOException {
        Optional<Path> group = group(dir, cluster);
        if (group.isEmpty()) {
            return;
        }
        List<Segment> segments = new RaftDirectory(dir, group.get().resolve("current")).segments();
        for (Segment segment : segments) {
            long last = segment.isOpen()
                    ? Math.max(
                            segment.first() - 1,
                            RaftSegmentScan.run(segment.file(), segment.first()).last())
                    : segment.last();
            if (last >= durable.index()) {
                return;
            }
        }
        for (Segment segment : segments) {
            LOG.info("event=raft_segment_surpassed file={} durable={}", segment.file(), durable);
            Files.delete(segment.file());
        }
    }

    /** The directory of the cluster's group. */
    static Optional<Path> group(Path dir, String cluster) throws IOException {
        return id(dir, cluster).map(id -> dir.resolve(id.toString()));
    }

    /**
     * Of which cluster this node is; empty = of none yet.
     *
     * @throws IOException if the disk cannot be read, or the directory is of another name's cluster
     */
    public static Optional<ClusterId> id(Path dir, String cluster) throws IOException {
        if (!Files.isDirectory(dir)) {
            return Optional.empty();
        }
        List<ClusterId> ids = new ArrayList<>();
        try (Stream<Path> files = Files.list(dir)) {
            for (Path file : files.filter(Files::isDirectory).toList()) {
                ids.add(id(file));
            }
        }
        if (ids.size() > 1) {
            throw new IOException("it is of more than one cluster: " + ids);
        }
        if (!ids.isEmpty() && !ids.get(0).isNamed(cluster)) {
            throw new IOException("it is of cluster " + ids.get(0) + ", which is not named " + cluster
                    + ": give this node its own data directory, or the name its cluster has");
        }
        return ids.stream().findFirst();
    }

    private static ClusterId id(Path group) throws IOException {
        try {
            return ClusterId.parse(String.valueOf(group.getFileName()));
        } catch (IllegalArgumentException e) {
            throw new IOException("what is " + group + "? The name of a directory here is the id of a cluster", e);
        }
    }

    private Found inspect(String self) throws IOException {
        List<Peer> members = new ArrayList<>();
        String damage = readConfiguration(self, members);
        if (!damage.isEmpty()) {
            return Found.damaged(damage, members);
        }
        List<Segment> segments = segments();
        long last = NONE;
        long lastTerm = 0;
        for (Segment segment : segments) {
            if (last != NONE && segment.first() != last + 1) {
                return Found.damaged("entries " + (last + 1) + " to " + segment.first() + " are missing", members);
            }
            RaftSegmentScan scan = RaftSegmentScan.run(segment.file(), segment.first());
            if (scan.isTorn() && segment.isOpen()) {
                Path kept = scan.cut(root);
                LOG.warn(
                        "event=raft_log_torn file={} position={} kept={} why=\"the node stopped while it wrote\""
                                + " next=\"nothing to do: it was never answered\"",
                        segment.file(),
                        scan.end(),
                        kept);
            } else if (!scan.damage().isEmpty()) {
                return Found.damaged(segment.file().getFileName() + ": " + scan.damage(), members);
            }
            if (!segment.isOpen() && scan.last() != segment.last()) {
                return Found.damaged(segment.file().getFileName() + " ends with entry " + scan.last(), members);
            }
            last = scan.last() == NONE ? last : scan.last();
            lastTerm = Math.max(lastTerm, scan.lastTerm());
        }
        long first = last == NONE ? NONE : segments.get(0).first();
        damage = checkMeta(lastTerm, first);
        return damage.isEmpty() ? new Found(true, "", first, last, members) : Found.damaged(damage, members);
    }

    private List<Segment> segments() throws IOException {
        List<Segment> segments = new ArrayList<>();
        try (Stream<Path> files = Files.list(current)) {
            for (Path file : files.toList()) {
                String name = String.valueOf(file.getFileName());
                Matcher closed = CLOSED.matcher(name);
                Matcher open = OPEN.matcher(name);
                if (closed.matches()) {
                    segments.add(new Segment(file, Long.parseLong(closed.group(1)), Long.parseLong(closed.group(2))));
                } else if (open.matches()) {
                    segments.add(new Segment(file, Long.parseLong(open.group(1)), OPEN_ENDED));
                }
            }
        }
        segments.sort(Comparator.comparingLong(Segment::first));
        return segments;
    }

    /** Adds the other nodes; returns why it cannot be read. */
    private String readConfiguration(String self, List<Peer> members) throws IOException {
        if (!Files.isDirectory(current)) {
            return "the directory " + current + " is missing";
        }
        Path file = current.resolve("raft-meta.conf");
        if (!Files.exists(file)) {
            return "";
        }
        try (InputStream in = Files.newInputStream(file)) {
            RaftConfigurationProto configuration = LogEntryProto.parseFrom(in).getConfigurationEntry();
            if (configuration.getPeersCount() + configuration.getListenersCount() == 0) {
                return "raft-meta.conf names no node";
            }
            Stream.concat(configuration.getPeersList().stream(), configuration.getListenersList().stream())
                    .map(ProtoUtils::toRaftPeer)
                    .filter(peer -> !peer.getId().toString().equals(self))
                    .map(Peers::of)
                    .forEach(members::add);
            return "";
        } catch (InvalidProtocolBufferException | RuntimeException e) {
            return "raft-meta.conf cannot be read: " + e.getMessage();
        }
    }

    /** Returns what is wrong with term and vote, or with what must be there beside them. */
    private String checkMeta(long lastTerm, long first) throws IOException {
        Path file = current.resolve("raft-meta");
        if (!Files.exists(file)) {
            return "raft-meta, with term and vote, is missing";
        }
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
            long term = Long.parseLong(properties.getProperty("term", ""));
            if (term < lastTerm || properties.getProperty("votedFor") == null) {
                return "raft-meta says term " + term + " and the log has entries of term " + lastTerm;
            }
        } catch (IllegalArgumentException e) {
            return "raft-meta cannot be read: " + e.getMessage();
        }
        return first > 0 && !Files.exists(current.resolve("raft-meta.conf"))
                ? "raft-meta.conf, which names the nodes, is missing"
                : "";
    }
}
