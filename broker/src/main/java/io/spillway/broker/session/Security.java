package io.spillway.broker.session;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.auth.Access;
import io.spillway.broker.auth.AuthFiles;
import io.spillway.broker.auth.AuthSettings;
import io.spillway.broker.auth.Authenticator;
import io.spillway.broker.auth.Identity;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Who may come in here and do what. Thread-safe. */
public final class Security {
    private final AuthSettings settings;
    private final Authenticator authenticator;
    private final Supplier<Access> access;
    private final Supplier<AuthFiles> files;
    private final Denials denials;

    /** @param random cannot be foretold */
    public Security(
            AuthSettings settings,
            Supplier<Access> access,
            Supplier<AuthFiles> files,
            Audit audit,
            Clock clock,
            RandomGenerator random) {
        this.settings = settings;
        this.access = access;
        this.files = files;
        authenticator = new Authenticator(settings, access, files, clock, random);
        denials = new Denials(audit, clock);
    }

    public AuthSettings settings() {
        return settings;
    }

    /** Whether not everybody may do everything. */
    boolean isClosed() {
        return settings.required() || settings.rulesApply();
    }

    public Authenticator authenticator() {
        return authenticator;
    }

    public Access access() {
        return access.get();
    }

    AuthFiles files() {
        return files.get();
    }

    public Denials denials() {
        return denials;
    }

    public boolean allows(Identity who, Operation operation, Resource resource, String name) {
        return !settings.rulesApply()
                || isSuper(who)
                || access.get().rules().allow(who.name(), operation, resource, name);
    }

    public boolean isSuper(Identity who) {
        return who.isKnown() && settings.superUsers().contains(who.name());
    }

    /**
     * Throws PERMISSION_DENIED, and writes it down.
     *
     * @param from the address, for the audit
     */
    public void require(Identity who, String from, Operation operation, Resource resource, String name) {
        if (!allows(who, operation, resource, name)) {
            String of = resource.text() + (name.isEmpty() ? "" : " " + name);
            deny(
                    who.name() + " @ " + from,
                    operation.text(),
                    resource == Resource.TOPIC ? name : "",
                    resource == Resource.GROUP ? name : "",
                    refusal(who.name(), operation, of));
        }
    }

    private static SpillwayException refusal(String who, Operation operation, String of) {
        return new SpillwayException(
                Code.PERMISSION_DENIED,
                who + " may not " + operation.text() + " " + of,
                "no rule allows it, or one denies it",
                "ask an operator, who may allow it: spillway acl add " + who + " allow " + operation.text() + " "
                        + of.replace(' ', ':'));
    }

    /** Throws it once it is written down. */
    void deny(String who, String operation, String topic, String group, SpillwayException refusal) {
        denials.denied(who, operation, topic, group, refusal.what() + ": " + refusal.why());
        throw refusal;
    }
}
