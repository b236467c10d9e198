package io.spillway.broker.replication;

/**
 * Who asks for a change of the cluster, and why.
 *
 * @param who client and address of an operator; empty = the brokers themselves
 * @param reason the operator gave, or empty
 */
public record Origin(String who, String reason) {
    public static final Origin BROKER = new Origin("", "");

    public boolean isOperator() {
        return !who.isEmpty();
    }
}
