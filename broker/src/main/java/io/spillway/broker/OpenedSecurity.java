package io.spillway.broker;

import io.spillway.broker.admin.HttpDoor;
import io.spillway.broker.auth.AuthFiles;
import io.spillway.broker.auth.Reloaded;
import io.spillway.broker.auth.Tls;
import io.spillway.broker.base.Clock;
import io.spillway.broker.session.Security;
import io.spillway.broker.session.SecurityWatch;
import io.spillway.broker.session.SessionContext;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.transport.BrokerServer;
import io.spillway.broker.transport.Door;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** The security of a running broker: its files, and whoever looks at them again. Thread-safe once it has begun. */
final class OpenedSecurity {
    private static final int FILES_MS = 2_000;

    private final SecurityConfig config;
    private final @Nullable Reloaded<Tls> tls;
    private final Reloaded<AuthFiles> files;
    private final Security security;

    /** Reads the files. Throws INVALID_ARGUMENT when they cannot be used. */
    OpenedSecurity(SecurityConfig config, Shard keeper, SessionContext context, Clock clock) {
        this.config = config;
        tls = config.readTls();
        files = config.readAuthFiles();
        security = new Security(config.auth(), keeper::access, files, context.audit(), clock, new SecureRandom());
        context.security(security);
    }

    Door door() {
        return config.door(tls);
    }

    HttpDoor http() {
        return new HttpDoor(config.http() ? tls : null, config.names(), security);
    }

    void watch(BrokerServer server, SessionContext context) {
        server.every(FILES_MS, this::checkFiles);
        server.every(SecurityWatch.TICK_MS, new SecurityWatch(context)::tick);
    }

    private void checkFiles() {
        if (tls != null) {
            tls.check();
        }
        files.check();
    }

    Security security() {
        return security;
    }

    /** How often new files could not be used. */
    long reloadFailures() {
        return files.failures() + (tls == null ? 0 : tls.failures());
    }

    /** When the certificate ends, in s since 1970; 0 = there is none. */
    long certificateEndsS() {
        return tls == null ? 0 : tls.get().notAfterMs() / 1_000;
    }
}
