package io.spillway.broker.session;

import com.google.protobuf.ByteString;
import io.spillway.broker.auth.Identity;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.cluster.ClusterView;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.toggles.ToggleUnit;
import io.spillway.broker.toggles.Toggles;
import io.spillway.protocol.Code;
import io.spillway.protocol.Features;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.Limits;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.Bye;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.GoAway;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import io.spillway.protocol.v1.Ping;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's session: what its frames mean. Confined to the connection's event loop; answers are written from shard
 * threads through the outbox.
 */
public final class ClientSession {
    private static final Logger LOG = LoggerFactory.getLogger(ClientSession.class);
    private static final int MIN_HEARTBEAT_MS = 1_000;
    private static final int SPREAD_PART = 4;
    /** A zone that is not known is near. */
    private static final String NO_ZONE = "";
    /** Features of the protocol that this broker offers. */
    private static final Set<Integer> FEATURES = Set.of(Features.HEALTH_REPORTS, Features.PRESSURE, Features.TOGGLES);

    private final SessionContext context;
    private final Connection connection;
    private final Outbox outbox;
    private final Login login;
    private final Gate gate;
    private final Rights rights;
    private final AdminRequests admin;
    private final GroupRequests groups;
    private final ConsumeRequests consumers;
    private final PublishRequests publishers;
    private final Interference interference;
    private @Nullable String instance;
    private String clientId = "";
    private Caller caller = Caller.NOBODY;
    private String zone = "";
    /** Only for reading, which a node that follows allows, too. */
    private boolean onlyReads;

    private @Nullable Load load;
    private boolean hearsOfToggles;
    private long toldRevision;
    private @Nullable ToggleUnit unit;
    private final Published<Toggled> toggled = new Published<>(Toggled.NOTHING);
    private boolean closed;

    public ClientSession(SessionContext context, Connection connection) {
        this.context = context;
        this.connection = connection;
        outbox = new Outbox(connection);
        login = new Login(context, connection, outbox);
        gate = new Gate(context::security, connection::remote, this::who);
        rights = new Rights(gate, name -> context.catalog.get().find(name) != null, this::isInUse);
        Audited audited =
                new Audited(context.audit, this::who, () -> context.security().isClosed());
        Restraint restraint = new Restraint(this::signal, context.random);
        admin = new AdminRequests(context, outbox, audited, restraint, gate);
        groups = new GroupRequests(context, outbox, audited, restraint, gate);
        publishers = new PublishRequests(context, outbox, gate, toggled);
        consumers = new ConsumeRequests(context, connection, outbox, () -> caller, restraint);
        interference = new Interference(
                context, connection, () -> caller.flow(), new Interference.Open(publishers, consumers), this::perform);
    }

    /** For the audit: the principal, what its client calls itself, and where it is. */
    private String who() {
        Identity identity = gate.identity();
        String principal = identity.isKnown() && !clientId.isEmpty() ? identity.name() + " (" + clientId + ")" : "";
        String alone = identity.isKnown() ? identity.name() : clientId;
        return (principal.isEmpty() ? alone : principal) + " @ " + connection.remote();
    }

    private PressureSignal signal() {
        Load mine = load;
        return mine == null ? PressureSignal.NONE : mine.memory().signal();
    }

    public boolean isOpen() {
        return instance != null;
    }

    /** Takes a frame and releases it. Throws {@link ProtocolException} for what must end the connection. */
    public void onFrame(Frame frame) {
        try {
            FrameKind kind = FrameKind.of(frame.kindCode());
            if (kind == null) {
                onUnknown(frame);
            } else if (kind == FrameKind.HELLO) {
                onHello(frame);
            } else if (instance == null && kind == FrameKind.AUTH) {
                login.answer(frame, this::open);
            } else if (instance == null) {
                throw new ProtocolException(
                        Code.MALFORMED_FRAME, "the first frame is " + kind + "; a session begins with HELLO");
            } else {
                handle(kind, frame);
            }
        } finally {
            frame.release();
        }
    }

    private void onUnknown(Frame frame) {
        context.protocolErrors.increment();
        if (frame.isCritical()) {
            outbox.fail(
                    FrameKind.HELLO,
                    frame.channel(),
                    frame.correlation(),
                    WireErrors.of(new ProtocolException(
                            Code.UNSUPPORTED_KIND, "this broker does not know frames of kind " + frame.kindCode())));
        }
    }

    private void handle(FrameKind kind, Frame frame) {
        if (!interference.takes(kind, frame)) {
            perform(kind, frame);
        }
    }

    private void perform(FrameKind kind, Frame frame) {
        if (follows() && !FollowerReads.allow(kind, frame)) {
            outbox.fail(kind, frame.channel(), frame.correlation(), Leader.elsewhere(context.cluster.get()));
            return;
        }
        try {
            rights.check(kind, frame);
            switch (kind) {
                case PING -> onPing(frame);
                case BYE -> onBye(frame);
                case HEALTH_REPORT -> consumers.report(frame, toggled.get().zoneBias() ? zone : NO_ZONE);
                case HANDOFF, TOGGLE_UPDATE, GO_AWAY, BACKPRESSURE, DELIVER -> {}
                case PUBLISH -> publishers.publish(frame);
                case OPEN_PUBLISHER -> {
                    refuseWhenDraining();
                    publishers.open(frame, this::requireFree, Objects.requireNonNull(load));
                }
                case CLOSE_PUBLISHER -> publishers.close(frame);
                case SUBSCRIBE -> onSubscribe(frame);
                case CREDIT_GRANT -> consumers.grant(frame);
                case ACK -> consumers.settle(frame);
                case UNSUBSCRIBE -> consumers.unsubscribe(frame);
                case METADATA, TOPIC_ADMIN, REPLAY_ADMIN, LINK, HEALTH_CHECK -> admin.handle(kind, frame);
                case GROUP_ADMIN -> groups.administer(frame);
                case SEEK -> groups.seek(frame);
                case HELLO, AUTH, TOGGLE_ADMIN ->
                    throw new SpillwayException(
                            Code.UNSUPPORTED_FEATURE,
                            "this broker does not take " + kind + " here",
                            "it has no such feature yet",
                            "use a newer broker");
            }
        } catch (SpillwayException e) {
            boolean mayBeBehind = follows() && e.code() == Code.TOPIC_NOT_FOUND;
            outbox.fail(
                    kind,
                    frame.channel(),
                    frame.correlation(),
                    mayBeBehind ? Leader.elsewhere(context.cluster.get()) : WireErrors.of(e));
        }
    }

    /** Whether another node leads, and this connection is taken all the same. */
    private boolean follows() {
        return onlyReads && !context.leads();
    }

    private static Features.Outcome features(Hello hello) {
        return Features.negotiate(
                Set.copyOf(hello.getFeaturesList()), Set.copyOf(hello.getRequiredFeaturesList()), FEATURES, Set.of());
    }

    private void onHello(Frame frame) {
        if (instance != null) {
            throw new ProtocolException(Code.MALFORMED_FRAME, "a second HELLO came on one connection");
        }
        Hello hello = frame.header(Hello.parser());
        Features.Outcome features = features(hello);
        if (!features.isAgreed()) {
            outbox.fail(
                    FrameKind.HELLO,
                    0,
                    frame.correlation(),
                    WireErrors.of(new SpillwayException(
                            Code.UNSUPPORTED_FEATURE,
                            "the client requires features this broker does not have",
                            "it asks for " + features.clientNeeds(),
                            "use an older client or a newer broker")));
            connection.closeAfterFlush();
            return;
        }
        login.begin(hello, frame.correlation(), this::open);
    }

    /** Begins the session of a client that was let in by another door than the wire's. */
    void enter(Hello hello, Identity identity) {
        open(hello, identity, FrameKind.HELLO, 0, new byte[0]);
    }

    /** The client is who it says it is. */
    private void open(Hello hello, Identity identity, FrameKind answered, int correlation, byte[] proof) {
        ClusterView view = context.cluster.get();
        Error elsewhere = Leader.refusal(view, hello.getFollowerReads());
        if (elsewhere != null) {
            outbox.fail(answered, 0, correlation, elsewhere);
            connection.closeAfterFlush();
            return;
        }
        gate.identity(identity);
        Features.Outcome features = features(hello);
        long epoch = context.nextEpoch();
        instance = hello.getInstanceId().isEmpty() ? "anonymous-" + epoch : hex(hello.getInstanceId());
        clientId = hello.getClientId();
        zone = hello.getZone();
        onlyReads = hello.getFollowerReads();
        String principal = identity.isKnown() ? identity.name() : clientId;
        load = Load.of(
                hello,
                principal,
                context.publishBudget,
                violations(),
                features.active().contains(Features.PRESSURE),
                context.clock.nanoTime());
        caller = new Caller(clientId, instance, load.key());
        hearsOfToggles = features.active().contains(Features.TOGGLES);
        unit = new ToggleUnit(hello.getInstanceId().toByteArray(), principal, hello.getLang(), zone, "");
        ClientSession older = context.byInstance.put(instance, this);
        if (older != null) {
            older.fence();
        }
        Toggles toggles = context.toggles();
        int maxFrame = hello.getMaxFrame() == 0
                ? context.config.maxFrameBytes()
                : Math.min(hello.getMaxFrame(), context.config.maxFrameBytes());
        connection.maxFrameBytes(context.config.maxFrameBytes());
        int heartbeatMs = heartbeatMs(hello);
        connection.heartbeatMs(heartbeatMs);
        outbox.answer(
                answered,
                0,
                correlation,
                HelloOk.newBuilder()
                        .setAuthData(ByteString.copyFrom(proof))
                        .setClusterId(context.nodeId)
                        .setBrokerId(1)
                        .setBrokerVersion(context.version)
                        .setSessionEpoch(epoch)
                        .addAllFeatures(features.active())
                        .setHeartbeatMs(heartbeatMs)
                        .setMaxFrame(maxFrame)
                        .setMaxBatch(Limits.MAX_BATCH_BYTES)
                        .setMaxRecord(Limits.MAX_RECORD_BYTES)
                        .setMaxInflightBatches(context.config.windowBatches())
                        .setUnixMs(context.clock.nowMs())
                        .addAllEndpoints(context.endpoints())
                        .setTogglesRevision(toggles.revision())
                        .setState(load.memory().signal().state())
                        .setFollows(!view.leads())
                        .setZone(Leader.zone(view, context.nodeId))
                        .build());
        toggled(toggles);
        LOG.debug(
                "event=session_open client={} instance={} remote={}",
                hello.getClientId(),
                instance,
                connection.remote());
    }

    private CreditViolations violations() {
        return new CreditViolations(
                ms -> {
                    LOG.info(
                            "event=credit_violations client={} remote={} why=\"it publishes without credit\" paused_ms={}",
                            clientId,
                            connection.remote(),
                            ms);
                    connection.pauseReading(ms);
                },
                () -> {
                    goAway(
                            new SpillwayException(
                                    Code.CREDIT_VIOLATION,
                                    "this connection is closed",
                                    "it publishes without credit again and again",
                                    "wait for acks; each one carries new credit"),
                            0);
                    connection.closeAfterFlush();
                });
    }

    /** The shorter of both sides' wishes, so that each finds a dead connection as soon as it wants to. */
    private int heartbeatMs(Hello hello) {
        int own = context.config.heartbeatMs();
        boolean asks = hello.getHeartbeatMs() > 0;
        return asks ? Math.min(own, Math.max(MIN_HEARTBEAT_MS, hello.getHeartbeatMs())) : own;
    }

    private static String hex(ByteString bytes) {
        return java.util.HexFormat.of().formatHex(bytes.toByteArray());
    }

    /** A newer session of the same client instance has begun. From any thread. */
    private void fence() {
        goAway(
                new SpillwayException(
                        Code.SESSION_FENCED,
                        "this connection was replaced",
                        "the same client instance has connected again",
                        "use the newer connection"),
                0);
        connection.closeAfterFlush();
    }

    /** When what the client proved holds no more, in ms since 1970. */
    long endsMs() {
        return gate.identity().expiresMs();
    }

    /** Ends the session when what its client proved, or may do, does not hold any more. From any thread. */
    void recheck() {
        connection.execute(() -> {
            String lost = gate.lost(this::isInUse);
            if (lost.isEmpty()) {
                return;
            }
            context.security().denials().unknown(who(), lost);
            goAway(
                    new SpillwayException(
                            Code.UNAUTHENTICATED,
                            "this connection is closed",
                            lost,
                            "connect again with credentials that hold, or ask an operator"),
                    0);
            connection.closeAfterFlush();
        });
    }

    /** Tells the client to leave, unless it only reads and may stay where another leads now. From any thread. */
    public void goAway(SpillwayException why, int graceMs) {
        if (why.code() == Code.NOT_LEADER && onlyReads && context.cluster.get().follows()) {
            return;
        }
        outbox.send(
                FrameKind.GO_AWAY,
                0,
                GoAway.newBuilder()
                        .setError(WireErrors.of(why))
                        .setGraceMs(graceMs)
                        .setReconnectAfterMs(why.code() == Code.NOT_LEADER ? 0 : context.random.nextInt(100, 1_000))
                        .addAllEndpoints(Leader.endpoints(context.cluster.get()))
                        .build());
    }

    /** How the failure domain stands, for those that belong to it and want to hear; they wait when it is worse. From any thread. */
    void tellPressure(PublishBudget.Part domain, PressureSignal signal, boolean isWorse) {
        Load mine = load;
        if (mine == null || !mine.hearsOfPressure() || !mine.memory().isOf(domain)) {
            return;
        }
        int waitMs = isWorse ? spread(signal.retryAfterMs()) : 0;
        Backpressure frame = Backpressure.newBuilder()
                .setSeq(signal.seq())
                .setState(signal.state())
                .addAllReasons(signal.reasons())
                .setRetryAfterMs(waitMs)
                .setValidForMs(signal.validForMs())
                .setScope(signal.scope())
                .build();
        // Behind the answer to HELLO, which is written on the event loop.
        connection.execute(() -> {
            outbox.send(FrameKind.BACKPRESSURE, 0, frame);
            publishers.pauseBulk(signal);
        });
    }

    /** What is toggled has changed. From any thread. */
    void tellToggles(Toggles now) {
        connection.execute(() -> toggled(now));
    }

    private void toggled(Toggles now) {
        ToggleUnit client = unit;
        if (client == null || now.revision() < toldRevision) {
            return;
        }
        toldRevision = now.revision();
        toggled.set(Toggled.of(now, client));
        if (hearsOfToggles) {
            outbox.send(FrameKind.TOGGLE_UPDATE, 0, Toggled.update(now, client));
        }
    }

    /** A time to wait, made up to a quarter longer, so that clients do not return together. */
    private int spread(int ms) {
        return ms == 0 ? 0 : ms + context.random.nextInt(ms / SPREAD_PART + 1);
    }

    private void onPing(Frame frame) {
        if (!frame.isResponse()) {
            outbox.answer(FrameKind.PING, 0, frame.correlation(), frame.header(Ping.parser()));
        }
    }

    private void onBye(Frame frame) {
        outbox.answer(FrameKind.BYE, 0, frame.correlation(), Bye.getDefaultInstance());
        connection.closeAfterFlush();
    }

    private boolean isInUse(int channel) {
        return publishers.has(channel) || consumers.has(channel);
    }

    private void requireFree(int channel) {
        if (channel == 0 || isInUse(channel)) {
            throw WireErrors.invalid(
                    "channel " + channel + " cannot be opened",
                    channel == 0 ? "0 is the connection itself" : "it is in use",
                    "choose a free channel");
        }
    }

    private void refuseWhenDraining() {
        if (context.draining.get()) {
            throw new SpillwayException(
                    Code.DRAINING, "the broker is going away", "it was asked to stop", "reconnect in a moment");
        }
    }

    private void onSubscribe(Frame frame) {
        refuseWhenDraining();
        requireFree(frame.channel());
        consumers.subscribe(frame, onlyReads);
    }

    /** The connection takes more again. */
    public void onWritable() {
        consumers.onWritable();
    }

    /** The connection is gone: its leases go back to their groups. */
    public void onClosed() {
        if (closed) {
            return;
        }
        if (load != null) {
            load.close();
        }
        closed = true;
        if (instance != null) {
            context.byInstance.remove(instance, this);
        }
        interference.onClosed();
        consumers.onClosed();
        publishers.onClosed();
    }
}
