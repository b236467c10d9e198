package io.spillway.bench.peers;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/** One kind of broker, through the client for Java that its makers publish. */
interface Peer extends AutoCloseable {
    /** What the peer does not have; no failure of the run. */
    final class Unable extends Exception {
        private static final long serialVersionUID = 1;

        Unable(String why) {
            super("not able to: " + why);
        }
    }

    /** Connects. */
    interface Factory {
        Peer connect(Plan plan) throws Exception;
    }

    /** One record; the time when it was due is 0 unless that is measured. */
    final class Item {
        int topic;
        byte[] key;
        long id;
        byte[] value;
        long dueNs;
    }

    /** Used by one thread. */
    interface Publishing extends AutoCloseable {
        /** Hands one record over, and waits while the client's buffer is full. */
        void publish(Item item) throws Exception;

        /** Waits until everything has its outcome. */
        void flush() throws Exception;
    }

    /** Reads on a thread of its own. */
    interface Consuming extends AutoCloseable {
        /** Waits until the broker has the acks, as far as the client can know. */
        void flush() throws Exception;
    }

    /** Whether a consumer gets the first record at once, without a group that has to come together. */
    default boolean consumesAtOnce() {
        return false;
    }

    void create(List<String> topics) throws Exception;

    void remove(List<String> topics) throws Exception;

    /** On a connection of its own. */
    Publishing producer(List<String> topics, Outcomes outcomes) throws Exception;

    /** On a connection of its own: one topic from its first record on, in a group that acks each record after it was shown. */
    Consuming consumer(String topic, String group, Consumer<ByteBuffer> show) throws Exception;
}
