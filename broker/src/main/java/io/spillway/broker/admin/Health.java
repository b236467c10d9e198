package io.spillway.broker.admin;

import java.util.List;

/**
 * How the broker is.
 *
 * @param live false only when restarting is the one thing that helps
 * @param ready whether it takes publishes and serves consumers
 */
public record Health(boolean live, boolean ready, List<Cause> causes) {
    /** One thing that is not as it should be: where, by what name, what, why, what to do next. */
    public record Cause(
            String component, io.spillway.broker.diagnose.Cause name, String what, String why, String nextStep) {}

    /** Whether it has begun to do its part; a node of a cluster that gets what it lacks, or looks for it, has not. */
    boolean hasStarted() {
        return live
                && causes.stream().noneMatch(cause -> switch (cause.name()) {
                    case RETURNING, NO_LEADER, LEFT_CLUSTER -> true;
                    default -> false;
                });
    }
}
