package io.spillway.chaos.history;

/** One thing that happened. The time is the round's, of one clock for all clients. */
public sealed interface Event {
    /** Nanoseconds since the round began. */
    long atNs();

    /** The language of the client, or "nemesis". */
    String who();

    /**
     * A record is given to a client.
     *
     * @param call the number of the call it belongs to; records of one call keep their order
     * @param id the record's own name; its idempotency key when it is keyed
     * @param key what its order is kept by
     * @param keyed whether it has an idempotency key
     * @param altered whether this is another payload under a key that is known already, which must be refused
     */
    record Invoked(long atNs, String who, long call, String id, String key, boolean keyed, boolean altered)
            implements Event {}

    /** It was acked. */
    record Acked(
            long atNs,
            String who,
            long call,
            String id,
            int partition,
            long offset,
            String durability,
            boolean duplicate,
            boolean degraded)
            implements Event {}

    /** It was refused, or its outcome is not known. */
    record Failed(long atNs, String who, long call, String id, Failure failure) implements Event {}

    /**
     * A message was handed out.
     *
     * @param key empty: the record has none
     */
    record Delivered(
            long atNs, String who, String group, int partition, long offset, String key, String id, int attempt)
            implements Event {}

    /** Its ack reached the broker, and no lease was lost. */
    record Confirmed(long atNs, String who, String group, int partition, long offset) implements Event {}

    /** Another call than a publish failed: a poll, an ack, an opening. */
    record Trouble(long atNs, String who, String what, Failure failure) implements Event {}

    /** A client was made to stand still: what was on its way to it comes to it when it goes on, whatever has happened since. */
    record Stopped(long atNs, String who) implements Event {}

    /** The nemesis did something. */
    record Fault(long atNs, String who, String what) implements Event {}

    /**
     * What a node said of itself.
     *
     * @param ready whether /readyz was 200
     * @param leads whether it says that it leads
     * @param commit up to where it knows the log as agreed on
     * @param quorate whether it runs and a majority of the running nodes is within its reach, both ways
     * @param served whether clients reach it, both ways
     */
    record Health(long atNs, String who, boolean ready, boolean leads, long commit, boolean quorate, boolean served)
            implements Event {}
}
