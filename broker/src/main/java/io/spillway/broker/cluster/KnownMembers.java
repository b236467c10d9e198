package io.spillway.broker.cluster;

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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file with the nodes of the cluster, as this one knew them last: whom to ask when its part in the cluster's log is
 * lost. That there is one keeps a node without seeds from forming a second cluster then. Confined to one thread.
 *
 * <pre>
 * id zone cluster-address client-address
 * </pre>
 */
final class KnownMembers {
    private static final Logger LOG = LoggerFactory.getLogger(KnownMembers.class);
    private static final int FIELDS = 4;

    private final Path file;
    private List<Peer> known;

    KnownMembers(Path file) {
        this.file = file;
        known = read(file);
    }

    private static List<Peer> read(Path file) {
        List<Peer> peers = new ArrayList<>();
        if (!Files.exists(file)) {
            return peers;
        }
        try {
            for (String line : Files.readAllLines(file)) {
                String[] fields = line.split(" ", -1);
                if (fields.length == FIELDS) {
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

    /** Written when it has changed. */
    void learn(List<Peer> members) {
        if (members.equals(known)) {
            return;
        }
        known = List.copyOf(members);
        StringBuilder text = new StringBuilder();
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
