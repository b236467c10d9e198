package io.spillway.broker.auth;

import java.util.Set;

/**
 * How a broker looks at who comes in.
 *
 * @param required who proves nothing is refused
 * @param audience that tokens must be for
 * @param takesPlainSecrets whether tokens and passwords are taken over connections that others can hear
 * @param rulesApply what no rule allows is denied
 * @param superUsers for whom no rule counts
 * @param openMetrics everybody may read the metrics
 * @param freeFailures failed passwords of a user at an address before he waits there; 0 = nobody waits
 */
public record AuthSettings(
        boolean required,
        String audience,
        boolean takesPlainSecrets,
        boolean rulesApply,
        Set<String> superUsers,
        boolean openMetrics,
        int freeFailures) {
    public static final AuthSettings OPEN = new AuthSettings(false, "spillway", false, false, Set.of(), true, 0);
}
