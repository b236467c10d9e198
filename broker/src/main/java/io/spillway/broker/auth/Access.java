package io.spillway.broker.auth;

import java.util.Map;

/**
 * What operators have said of who may come in and do what. Immutable.
 *
 * @param users by name
 * @param revoked when each token that is refused would have ended, by its id
 */
public record Access(Map<String, Credential> users, AccessRules rules, Map<String, Long> revoked) {
    public static final Access NONE = new Access(Map.of(), AccessRules.NONE, Map.of());
}
