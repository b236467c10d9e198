package io.spillway.broker.replication;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A status as it travels between nodes. */
final class StatusBytes {
    private StatusBytes() {}

    static ByteBuffer write(ClusterStatus status) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(status.cluster());
            out.writeUTF(status.self());
            out.writeLong(status.term());
            out.writeLong(status.last());
            out.writeLong(status.commit());
            out.writeLong(status.applied());
            Peer leader = status.leader();
            out.writeBoolean(leader != null);
            if (leader != null) {
                Change.writePeer(leader, out);
            }
            out.writeInt(status.nodes().size());
            for (ClusterStatus.Node node : status.nodes()) {
                write(node, out);
            }
            out.writeUTF(status.id());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ByteBuffer.wrap(bytes.toByteArray());
    }

    private static void write(ClusterStatus.Node node, DataOutputStream out) throws IOException {
        Change.writePeer(node.peer(), out);
        out.writeUTF(node.role().name());
        out.writeBoolean(node.isLeader());
        out.writeLong(node.commitIndex());
        out.writeLong(node.lagEntries());
        out.writeLong(node.lagMs());
        out.writeLong(node.lastContactMs());
    }

    static ClusterStatus read(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(copy))) {
            String cluster = in.readUTF();
            String self = in.readUTF();
            long term = in.readLong();
            long last = in.readLong();
            long commit = in.readLong();
            long applied = in.readLong();
            @Nullable Peer leader = in.readBoolean() ? Change.readPeer(in) : null;
            List<ClusterStatus.Node> nodes = new ArrayList<>();
            for (int left = in.readInt(); left > 0; left--) {
                nodes.add(readNode(in));
            }
            String id = in.available() > 0 ? in.readUTF() : "";
            return new ClusterStatus(cluster, id, self, term, last, commit, applied, leader, nodes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ClusterStatus.Node readNode(DataInputStream in) throws IOException {
        return new ClusterStatus.Node(
                Change.readPeer(in),
                ClusterStatus.Role.valueOf(in.readUTF()),
                in.readBoolean(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong());
    }
}
