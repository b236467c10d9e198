package io.spillway.broker.auth;

import static io.spillway.broker.auth.Operation.ALL;
import static io.spillway.broker.auth.Operation.ALTER;
import static io.spillway.broker.auth.Operation.DESCRIBE;
import static io.spillway.broker.auth.Operation.READ;
import static io.spillway.broker.auth.Operation.WRITE;
import static io.spillway.broker.auth.Resource.CLUSTER;
import static io.spillway.broker.auth.Resource.GROUP;
import static io.spillway.broker.auth.Resource.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AccessRulesTest {
    private static AccessRules rules(AccessRule... rules) {
        return new AccessRules(List.of(rules));
    }

    private static AccessRule allow(String who, Operation operation, Resource resource, String pattern) {
        return rule(true, who, operation, resource, pattern);
    }

    private static AccessRule deny(String who, Operation operation, Resource resource, String pattern) {
        return rule(false, who, operation, resource, pattern);
    }

    private static AccessRule rule(boolean allows, String who, Operation operation, Resource resource, String pattern) {
        boolean isPrefix = pattern.endsWith("*");
        String name = isPrefix ? pattern.substring(0, pattern.length() - 1) : pattern;
        return new AccessRule(allows, who, resource, name, isPrefix, operation);
    }

    @Test
    void whatNoRuleAllowsIsDenied() {
        assertThat(AccessRules.NONE.allow("billing", READ, TOPIC, "orders")).isFalse();
        AccessRules rules = rules(allow("billing", READ, TOPIC, "orders"));

        assertThat(rules.allow("billing", READ, TOPIC, "orders")).isTrue();
        assertThat(rules.allow("billing", WRITE, TOPIC, "orders")).isFalse();
        assertThat(rules.allow("billing", READ, TOPIC, "orders2")).isFalse();
        assertThat(rules.allow("billing", READ, GROUP, "orders")).isFalse();
        assertThat(rules.allow("shop", READ, TOPIC, "orders")).isFalse();
    }

    @Test
    void aBeginningIsAboutAllNamesThatBeginSo() {
        AccessRules rules = rules(allow("billing", READ, TOPIC, "orders*"));

        assertThat(rules.allow("billing", READ, TOPIC, "orders")).isTrue();
        assertThat(rules.allow("billing", READ, TOPIC, "orders.eu")).isTrue();
        assertThat(rules.allow("billing", READ, TOPIC, "order")).isFalse();
        assertThat(rules.allow("billing", READ, TOPIC, "my.orders")).isFalse();
    }

    @Test
    void whatDeniesCountsMoreThanWhatAllows() {
        AccessRules rules = rules(
                allow("intern", ALL, TOPIC, "*"),
                deny("intern", WRITE, TOPIC, "orders"),
                deny("*", READ, TOPIC, "secret*"));

        assertThat(rules.allow("intern", WRITE, TOPIC, "orders")).isFalse();
        assertThat(rules.allow("intern", READ, TOPIC, "orders")).isTrue();
        assertThat(rules.allow("intern", READ, TOPIC, "secrets")).isFalse();
        assertThat(rules.allow("intern", WRITE, TOPIC, "secrets")).isTrue();
    }

    @Test
    void whoMayDoAnythingWithItMaySeeItAndWhoMayNotWriteItStillMay() {
        assertThat(rules(allow("a", WRITE, TOPIC, "t")).allow("a", DESCRIBE, TOPIC, "t"))
                .isTrue();
        AccessRules denied = rules(allow("a", READ, TOPIC, "t"), deny("a", WRITE, TOPIC, "t"));

        assertThat(denied.allow("a", DESCRIBE, TOPIC, "t")).isTrue();
        assertThat(denied.allow("a", ALTER, TOPIC, "t")).isFalse();
    }

    @Test
    void everybodysRulesAreForEachPrincipal() {
        AccessRules rules = rules(allow("*", DESCRIBE, CLUSTER, ""));

        assertThat(rules.allow("anonymous", DESCRIBE, CLUSTER, "")).isTrue();
        assertThat(rules.allow("billing", ALL, CLUSTER, "")).isFalse();
    }

    @Test
    void theAuditHasToBeNamed() {
        assertThat(rules(allow("a", READ, TOPIC, "*")).allow("a", READ, TOPIC, "spillway.audit"))
                .isFalse();
        assertThat(rules(allow("a", READ, TOPIC, "spillway.audit")).allow("a", READ, TOPIC, "spillway.audit"))
                .isTrue();
        assertThat(rules(deny("a", READ, TOPIC, "*"), allow("a", READ, TOPIC, "spillway.audit"))
                        .allow("a", READ, TOPIC, "spillway.audit"))
                .isFalse();
    }
}
