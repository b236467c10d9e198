package io.spillway.broker.flow;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All quotas at a moment. */
public final class Quotas {
    public static final Quotas NONE = new Quotas(List.of());

    private final Map<String, Quota> byKey = new HashMap<>();

    public Quotas(Collection<Quota> all) {
        all.forEach(quota -> byKey.put(quota.key(), quota));
    }

    public Collection<Quota> all() {
        return List.copyOf(byKey.values());
    }

    public boolean isEmpty() {
        return byKey.isEmpty();
    }

    /** The one that holds for this name, or null. */
    public @Nullable Quota of(Quota.Scope scope, String name) {
        Quota own = byKey.get(scope.text() + ":" + name);
        return own == null ? byKey.get(scope.text() + ":" + Quota.ANY) : own;
    }
}
