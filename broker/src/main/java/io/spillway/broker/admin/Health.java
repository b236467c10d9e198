package io.spillway.broker.admin;

import java.util.List;

/**
 * How the broker is.
 *
 * @param live false only when restarting is the one thing that helps
 * @param ready whether it takes publishes and serves consumers
 */
public record Health(boolean live, boolean ready, List<Cause> causes) {
    /** One thing that is not as it should be: where, what, why, what to do next. */
    public record Cause(String component, String what, String why, String nextStep) {}
}
