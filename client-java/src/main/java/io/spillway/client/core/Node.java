package io.spillway.client.core;

/**
 * A node that a cluster names.
 *
 * @param zone where it is; empty = not said
 */
public record Node(String endpoint, String zone) {}
