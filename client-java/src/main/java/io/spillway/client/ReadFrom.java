package io.spillway.client;

/** From which node of a cluster a reader without a group reads. */
public enum ReadFrom {
    /** From the leader, over the client's connection: records come as soon as they are agreed on. */
    LEADER,
    /**
     * From a node in the client's own zone if there is one, else from any other, over a connection of the reader's own: a node
     * that follows has records a moment later. When it is lost the reader goes on at the next nearest, where it was.
     */
    NEAREST
}
