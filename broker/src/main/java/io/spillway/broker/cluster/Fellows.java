package io.spillway.broker.cluster;

import io.spillway.broker.chaos.Fault;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The other nodes, for faults that are not one node's alone. Thread-safe. */
public interface Fellows {
    /** Of a broker that stands alone. */
    Fellows NONE = new Fellows() {
        @Override
        public List<String> voters() {
            return List.of();
        }

        @Override
        public List<String> others() {
            return List.of();
        }

        @Override
        public CompletableFuture<Map<String, List<Fault>>> faults() {
            return CompletableFuture.completedFuture(Map.of());
        }

        @Override
        public CompletableFuture<Void> part(String peer, Fault fault) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void heal(String peer, String id) {}
    };

    /** What a node tells the others of its faults, and plays for them. Thread-safe. */
    interface Host {
        /** What is injected here, or about to be. */
        List<Fault> faults();

        /** Begins this side of a partition. */
        CompletableFuture<Void> begin(Fault fault);

        void end(String id);
    }

    /** Ids of all voters, this node among them if it is one. */
    List<String> voters();

    /** Ids of all nodes but this one. */
    List<String> others();

    /** What is injected at each of the others that answers in time. */
    CompletableFuture<Map<String, List<Fault>>> faults();

    /** Has a peer not hear this node, for as long as this fault is to last. */
    CompletableFuture<Void> part(String peer, Fault fault);

    /** Has it hear this node again, if it can be reached; if not, it does when the fault's time is over. */
    void heal(String peer, String id);
}
