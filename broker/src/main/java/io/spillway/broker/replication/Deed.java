package io.spillway.broker.replication;

/**
 * A change of the cluster that an operator asked for, as it is told afterwards.
 *
 * @param operation add, remove, promote or transfer
 * @param node whom it is about
 * @param from how it was: what the node was, or who led
 * @param to how it shall be
 */
public record Deed(Origin origin, String operation, String node, String from, String to) {}
