package io.spillway.broker.session;

import io.spillway.broker.flow.FlowKey;

/**
 * Who speaks on a connection.
 *
 * @param clientId what the client calls itself
 * @param instance tells the process from others
 * @param flow whose load it is
 */
record Caller(String clientId, String instance, FlowKey flow) {
    static final Caller NOBODY = new Caller("", "", FlowKey.BROKER);

    /** What a consumer without a name of its own is called. */
    String nameOf(String consumer) {
        return consumer.isEmpty() ? clientId : consumer;
    }

    /** Tells a consumer of this process from others, also when it comes again. */
    int identityOf(String consumer) {
        return 31 * instance.hashCode() + nameOf(consumer).hashCode();
    }
}
