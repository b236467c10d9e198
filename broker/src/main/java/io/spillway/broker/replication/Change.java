package io.spillway.broker.replication;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** A change of the cluster, as it travels to the leader. */
sealed interface Change {
    /**
     * Admits a node.
     *
     * @param isNew it has nothing: what an earlier node of this id held is gone
     * @param isWaited the answer comes when it is done; otherwise when it is begun
     */
    record Add(Peer peer, boolean isNew, boolean isWaited) implements Change {}

    record Remove(String id) implements Change {}

    record Promote(String id) implements Change {}

    record Transfer(String id, int timeoutMs) implements Change {}

    /** Takes out a node that asks for it, because it lost what it held; nothing is done when it is in no more. */
    record Forget(String id) implements Change {}

    private static byte tag(Change change) {
        if (change instanceof Add) {
            return 0;
        } else if (change instanceof Remove) {
            return 1;
        } else if (change instanceof Promote) {
            return 2;
        }
        return (byte) (change instanceof Transfer ? 3 : 4);
    }

    static void write(Change change, DataOutput out) throws IOException {
        out.writeByte(tag(change));
        if (change instanceof Add add) {
            writePeer(add.peer(), out);
            out.writeBoolean(add.isNew());
            out.writeBoolean(add.isWaited());
        } else if (change instanceof Remove remove) {
            out.writeUTF(remove.id());
        } else if (change instanceof Promote promote) {
            out.writeUTF(promote.id());
        } else if (change instanceof Transfer transfer) {
            out.writeUTF(transfer.id());
            out.writeInt(transfer.timeoutMs());
        } else if (change instanceof Forget forget) {
            out.writeUTF(forget.id());
        }
    }

    static Change read(DataInput in) throws IOException {
        byte tag = in.readByte();
        return switch (tag) {
            case 0 -> new Add(readPeer(in), in.readBoolean(), in.readBoolean());
            case 1 -> new Remove(in.readUTF());
            case 2 -> new Promote(in.readUTF());
            case 3 -> new Transfer(in.readUTF(), in.readInt());
            case 4 -> new Forget(in.readUTF());
            default -> throw new IOException("unknown change " + tag + "; the node asking is newer");
        };
    }

    static void writePeer(Peer peer, DataOutput out) throws IOException {
        out.writeUTF(peer.id());
        out.writeUTF(peer.zone());
        out.writeUTF(peer.clusterAddress());
        out.writeUTF(peer.clientAddress());
    }

    static Peer readPeer(DataInput in) throws IOException {
        return new Peer(in.readUTF(), in.readUTF(), in.readUTF(), in.readUTF());
    }
}
