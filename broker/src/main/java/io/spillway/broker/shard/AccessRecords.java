package io.spillway.broker.shard;

import com.google.protobuf.ByteString;
import io.spillway.broker.auth.Access;
import io.spillway.broker.auth.AccessRule;
import io.spillway.broker.auth.AccessRules;
import io.spillway.broker.auth.Credential;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.records.AccessRuleDropped;
import io.spillway.broker.records.AccessRuleKept;
import io.spillway.broker.records.Snapshot;
import io.spillway.broker.records.StateRecord;
import io.spillway.broker.records.TokenRevoked;
import io.spillway.broker.records.UserKept;
import io.spillway.protocol.Scram;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Users, rules and revoked tokens, as shard 0 remembers them. Confined to the shard thread; what {@link #view} gives is
 * immutable.
 */
final class AccessRecords {
    private final Map<String, Credential> users = new LinkedHashMap<>();
    private final Map<String, AccessRule> rules = new LinkedHashMap<>();
    private final Map<String, Long> revoked = new LinkedHashMap<>();
    private Access view = Access.NONE;

    /** One record of the kinds that speak of them. */
    void apply(StateRecord record) {
        switch (record.getKindCase()) {
            case USER_KEPT -> put(record.getUserKept());
            case USER_DROPPED -> users.remove(record.getUserDropped().getName());
            case ACCESS_RULE_KEPT -> put(record.getAccessRuleKept());
            case ACCESS_RULE_DROPPED ->
                rules.remove(rule(record.getAccessRuleDropped()).key());
            case TOKEN_REVOKED -> put(record.getTokenRevoked());
            case TOKEN_FORGOTTEN -> revoked.remove(record.getTokenForgotten().getId());
            default -> throw new IllegalArgumentException("not of who may do what: " + record.getKindCase());
        }
        show();
    }

    private void put(UserKept user) {
        users.put(
                user.getName(),
                new Credential(
                        user.getName(),
                        user.getSalt().toByteArray(),
                        user.getIterations(),
                        new Scram.Keys(
                                user.getStoredKey().toByteArray(),
                                user.getServerKey().toByteArray())));
    }

    /** An operation or a resource of a newer version is no rule here: what it allows is denied. */
    private void put(AccessRuleKept kept) {
        if (kept.getOperation() < Operation.values().length && kept.getResource() < Resource.values().length) {
            AccessRule rule = new AccessRule(
                    !kept.getDeny(),
                    kept.getPrincipal(),
                    Resource.values()[kept.getResource()],
                    kept.getName(),
                    kept.getPrefix(),
                    Operation.values()[kept.getOperation()]);
            rules.put(rule.key(), rule);
        }
    }

    private static AccessRule rule(AccessRuleDropped dropped) {
        return new AccessRule(
                true,
                dropped.getPrincipal(),
                Resource.values()[dropped.getResource()],
                dropped.getName(),
                dropped.getPrefix(),
                Operation.values()[dropped.getOperation()]);
    }

    private void put(TokenRevoked token) {
        revoked.put(token.getId(), token.getExpiresMs());
    }

    private void show() {
        view = new Access(Map.copyOf(users), new AccessRules(rules.values()), Map.copyOf(revoked));
    }

    Access view() {
        return view;
    }

    boolean has(AccessRule rule) {
        return rules.containsKey(rule.key());
    }

    static UserKept record(Credential user) {
        return UserKept.newBuilder()
                .setName(user.user())
                .setSalt(ByteString.copyFrom(user.salt()))
                .setIterations(user.iterations())
                .setStoredKey(ByteString.copyFrom(user.keys().stored()))
                .setServerKey(ByteString.copyFrom(user.keys().server()))
                .build();
    }

    static AccessRuleKept record(AccessRule rule) {
        return AccessRuleKept.newBuilder()
                .setPrincipal(rule.principal())
                .setDeny(!rule.allows())
                .setResource(rule.resource().ordinal())
                .setName(rule.name())
                .setPrefix(rule.isPrefix())
                .setOperation(rule.operation().ordinal())
                .build();
    }

    void snapshot(Snapshot.Builder out) {
        users.values().forEach(user -> out.addUsers(record(user)));
        rules.values().forEach(rule -> out.addAccessRules(record(rule)));
        revoked.forEach((id, expiresMs) ->
                out.addRevokedTokens(TokenRevoked.newBuilder().setId(id).setExpiresMs(expiresMs)));
    }

    void restore(Snapshot from) {
        from.getUsersList().forEach(this::put);
        from.getAccessRulesList().forEach(this::put);
        from.getRevokedTokensList().forEach(this::put);
        show();
    }
}
