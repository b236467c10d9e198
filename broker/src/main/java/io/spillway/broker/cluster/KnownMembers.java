package io.spillway.broker.cluster;

import io.spillway.broker.replication.ClusterId;
import io.spillway.broker.replication.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file with the nodes of the cluster, as this one knew them last: whom to ask when its part in the cluster's log is
 * lost. That there is one keeps a node without seeds from forming a second cluster then. Confined to one thread.
 *
 * <pre>
 * cluster cluster-id
 * id zone cluster-address client-address
 * </pre>
 */
final class KnownMembers {
    private static final Logger LOG = LoggerFactory.getLogger(KnownMembers.class);
    private static final int FIELDS = 4;
    private static final String CLUSTER = "cluster";

    private final Path file;
    private List<Peer> known;
    private String cluster = "";

    KnownMembers(Path file) {
        this.file = file;
        known = read();
    }

    private List<Peer> read() {
        List<Peer> peers = new ArrayList<>();
        if (!Files.exists(file)) {
            return peers;
        }
        try {
            for (String line : Files.readAllLines(file)) {
                String[] fields = line.split(" ", -1);
                if (fields.length == 2 && fields[0].equals(CLUSTER)) {
                    cluster = ClusterId.parse(fields[1]).toString();
                } else if (fields.length == FIELDS) {
                    peers.add(new Peer(fields[0], fields[1], fields[2], fields[3]));
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn(
                    "event=members_unreadable file={} why=\"{}\" next=\"give the nodes as --seed\"",
                    file,
                    e.toString());
        }
        return peers;
    }

    List<Peer> all() {
        return List.copyOf(known);
    }

    /** Which cluster it was; empty = that is not known. */
    Optional<ClusterId> cluster() {
        return cluster.isEmpty() ? Optional.empty() : Optional.of(ClusterId.parse(cluster));
    }

    /** Written when it has changed. */
    void learn(String newCluster, List<Peer> members) {
        if (newCluster.equals(cluster) && members.equals(known)) {
            return;
        }
        cluster = newCluster;
        known = List.copyOf(members);
        StringBuilder text =
                new StringBuilder(CLUSTER).append(' ').append(cluster).append('\n');
        for (Peer peer : members) {
            text.append(peer.id()).append(' ').append(peer.zone()).append(' ');
            text.append(peer.clusterAddress())
                    .append(' ')
                    .append(peer.clientAddress())
                    .append('\n');
        }
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("event=members_not_written file={} why=\"{}\" next=\"free disk space\"", file, e.toString());
        }
    }
}
