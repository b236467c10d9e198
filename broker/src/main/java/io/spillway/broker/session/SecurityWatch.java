package io.spillway.broker.session;

import io.spillway.broker.auth.Access;
import io.spillway.broker.auth.AuthFiles;

/** Ends sessions of those who may not be here any more. Confined to the thread that ticks. */
public final class SecurityWatch {
    public static final int TICK_MS = 1_000;

    private final SessionContext context;
    private Access access = Access.NONE;
    private AuthFiles files = AuthFiles.NONE;

    public SecurityWatch(SessionContext context) {
        this.context = context;
    }

    public void tick() {
        Security security = context.security();
        boolean changed = security.access() != access || security.files() != files;
        access = security.access();
        files = security.files();
        long nowMs = context.clock.nowMs();
        for (ClientSession session : context.byInstance.values()) {
            if (changed || session.endsMs() <= nowMs) {
                session.recheck();
            }
        }
    }
}
