package io.spillway.broker.auth;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Who may do what: what no rule allows is denied, and so is what one denies. */
public final class AccessRules {
    public static final AccessRules NONE = new AccessRules(List.of());

    private final List<AccessRule> all;
    private final Map<String, List<AccessRule>> byPrincipal = new HashMap<>();

    public AccessRules(Collection<AccessRule> rules) {
        all = List.copyOf(rules);
        for (AccessRule rule : all) {
            byPrincipal
                    .computeIfAbsent(rule.principal(), unused -> new ArrayList<>())
                    .add(rule);
        }
    }

    public List<AccessRule> all() {
        return all;
    }

    public boolean allow(String principal, Operation operation, Resource resource, String name) {
        Verdict own = judge(principal, operation, resource, name);
        if (own == Verdict.DENIED) {
            return false;
        }
        Verdict everybodys = judge(AccessRule.EVERYBODY, operation, resource, name);
        return everybodys != Verdict.DENIED && (own == Verdict.ALLOWED || everybodys == Verdict.ALLOWED);
    }

    private enum Verdict {
        DENIED,
        ALLOWED,
        SILENT
    }

    private Verdict judge(String principal, Operation operation, Resource resource, String name) {
        Verdict verdict = Verdict.SILENT;
        for (AccessRule rule : byPrincipal.getOrDefault(principal, List.of())) {
            if (rule.isAbout(operation, resource, name)) {
                if (!rule.allows()) {
                    return Verdict.DENIED;
                }
                verdict = Verdict.ALLOWED;
            }
        }
        return verdict;
    }
}
