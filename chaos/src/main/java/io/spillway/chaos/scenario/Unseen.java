package io.spillway.chaos.scenario;

/** What clients do and do not show. */
final class Unseen {
    static final String BREAKER = "clients do not show it; vectors/retry_budget.json and vectors/breaker.json fix it";

    private Unseen() {}
}
