package io.spillway.client;

import com.google.protobuf.ByteString;
import io.spillway.client.net.Clock;
import io.spillway.client.net.ConnectionSettings;
import io.spillway.client.net.Credentials;
import io.spillway.client.net.Endpoint;
import io.spillway.client.net.Link;
import io.spillway.protocol.Features;
import io.spillway.protocol.Scram;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Settings of a {@link SpillwayClient}. Not thread-safe. */
public final class ClientBuilder {
    private static final int HANDSHAKE_TIMEOUT_MS = 5_000;

    private List<String> endpoints = List.of("127.0.0.1:7400");
    private String clientName = "";
    private String zone = "";
    private String failureDomain = "java";
    private Duration connectTimeout = Duration.ofSeconds(3);
    private Duration waitForBroker = Duration.ZERO;
    private Duration heartbeat = Duration.ofSeconds(5);
    private Duration requestTimeout = Duration.ofSeconds(10);
    private Duration metadataRefresh = Duration.ofMinutes(1);
    private ClientMetrics metrics = ClientMetrics.NONE;
    private Consumer<Pressure> onPressure = pressure -> {};
    private Consumer<Toggles> onToggles = toggles -> {};
    private Duration healthInterval = Duration.ofSeconds(1);
    private Path healthRoot = Path.of("/");
    private ClientTls tls = ClientTls.OFF;
    private Credentials credentials = Credentials.NONE;
    private Supplier<AppHealth> appHealth = () -> HealthReporter.Settings.WELL;
    private @Nullable ClientNetwork network;

    ClientBuilder() {}

    /** Where brokers listen, each {@code host:port} ({@code [v6]:port}), in order of preference. Default 127.0.0.1:7400. */
    public ClientBuilder endpoints(String... hostPorts) {
        endpoints = List.of(hostPorts);
        return this;
    }

    /** What the broker's views and logs call this client. Default: empty. */
    public ClientBuilder clientName(String name) {
        clientName = name;
        return this;
    }

    /** The zone this client runs in; brokers of the same zone are preferred. Default: empty, no preference. */
    public ClientBuilder zone(String name) {
        zone = name;
        return this;
    }

    /** Clients of one failure domain share one fate when the broker must shed load. Default: "java". */
    public ClientBuilder failureDomain(String name) {
        failureDomain = name;
        return this;
    }

    /** Limit of one attempt to connect over TCP; the handshake after it has 5 s. 10 ms to 1 min, default 3 s. */
    public ClientBuilder connectTimeout(Duration timeout) {
        connectTimeout = Arguments.between("connectTimeout", timeout, Duration.ofMillis(10), Duration.ofMinutes(1));
        return this;
    }

    /**
     * How long {@link #connect} goes on trying when no endpoint answers. Default zero: each endpoint is tried once. Once
     * connected, the client reconnects for as long as it is open.
     */
    public ClientBuilder waitForBroker(Duration patience) {
        waitForBroker = Arguments.between("waitForBroker", patience, Duration.ZERO, Duration.ofDays(1));
        return this;
    }

    /** A connection without a byte for three of these is dead. 1 s to 60 s, default 5 s; the broker may ask for another. */
    public ClientBuilder heartbeat(Duration interval) {
        heartbeat = Arguments.between("heartbeat", interval, Duration.ofSeconds(1), Duration.ofMinutes(1));
        return this;
    }

    /** Deadline of an {@link Admin} call and of opening a producer or subscription. 1 ms to 10 min, default 10 s. */
    public ClientBuilder requestTimeout(Duration timeout) {
        requestTimeout = Arguments.between("requestTimeout", timeout, Duration.ofMillis(1), Duration.ofMinutes(10));
        return this;
    }

    /**
     * How often, at the latest, the client asks its broker for the nodes of the cluster, so that it knows others once those that it
     * was started with have left. Zero turns it off. 1 s to 1 day, default 1 min.
     */
    public ClientBuilder metadataRefresh(Duration interval) {
        metadataRefresh = interval.isZero()
                ? interval
                : Arguments.between("metadataRefresh", interval, Duration.ofSeconds(1), Duration.ofDays(1));
        return this;
    }

    /** Sees what the client does. Default: nobody. */
    public ClientBuilder metrics(ClientMetrics hook) {
        metrics = hook;
        return this;
    }

    /**
     * Hears each change of the broker's pressure, on the connection and on each partition that is published to, one after the
     * other. Called on the client's network thread, it must be quick. Default: nobody.
     */
    public ClientBuilder onPressure(Consumer<Pressure> listener) {
        onPressure = listener;
        return this;
    }

    /** Hears each change of what is toggled, on the client's network thread; it must be quick. Default: nobody. */
    public ClientBuilder onToggles(Consumer<Toggles> listener) {
        onToggles = listener;
        return this;
    }

    /**
     * How often the client looks how it is and tells the broker, which gives less to members of a group that are not well.
     * Zero turns it off. 200 ms to 10 s, default 1 s.
     */
    public ClientBuilder healthInterval(Duration interval) {
        healthInterval = interval.isZero()
                ? interval
                : Arguments.between("healthInterval", interval, Duration.ofMillis(200), Duration.ofSeconds(10));
        return this;
    }

    /**
     * Who says how the application is; asked before each report, on the client's network thread, it must be quick. Default:
     * nobody.
     */
    public ClientBuilder appHealth(Supplier<AppHealth> ask) {
        appHealth = ask;
        return this;
    }

    /** The directory under which proc/pressure is read. Default "/". */
    public ClientBuilder healthRoot(Path directory) {
        healthRoot = directory;
        return this;
    }

    /** How connections are encrypted, and with which certificate the client shows who it is. Default: plain text. */
    public ClientBuilder tls(ClientTls settings) {
        tls = settings;
        return this;
    }

    /**
     * Logs in with a password, which never leaves this process (SCRAM-SHA-256).
     *
     * @param password asked for before each connection, on a thread of its own
     */
    public ClientBuilder user(String name, Supplier<String> password) {
        if (name.isEmpty() || name.indexOf(',') >= 0 || name.indexOf('=') >= 0) {
            throw Arguments.invalid("the user cannot be called that", "a name is not empty and has neither , nor =");
        }
        credentials = new Credentials(Scram.MECHANISM, name, password);
        return this;
    }

    /**
     * Logs in with a signed token; only over TLS, unless the broker takes it otherwise, too.
     *
     * @param token asked for before each connection, on a thread of its own, so that it may be renewed there: the broker asks a
     *     client to connect anew when its token ends
     */
    public ClientBuilder token(Supplier<String> token) {
        credentials = new Credentials(Credentials.TOKEN, "", token);
        return this;
    }

    /** The network thread, shared with other clients; it does not end with the client. Default: one of the client's own. */
    public ClientBuilder network(ClientNetwork shared) {
        network = shared;
        return this;
    }

    /**
     * Connects to the first endpoint that answers. Throws {@link SpillwayException} CONNECT_FAILED when none does in
     * time, UNSUPPORTED_VERSION or UNAUTHENTICATED when one refuses, INVALID_ARGUMENT for an endpoint that is not {@code
     * host:port}.
     */
    public SpillwayClient connect() {
        List<Endpoint> parsed = endpoints.stream().map(ClientBuilder::parse).toList();
        if (parsed.isEmpty()) {
            throw Arguments.invalid("no endpoint is given", "a client needs at least one host:port");
        }
        SplittableRandom random = new SplittableRandom();
        ConnectionSettings settings = new ConnectionSettings(
                clientName,
                instanceId(random),
                zone,
                failureDomain,
                false,
                healthInterval.isZero()
                        ? List.of(Features.TOGGLES)
                        : List.of(Features.HEALTH_REPORTS, Features.TOGGLES),
                (int) connectTimeout.toMillis(),
                HANDSHAKE_TIMEOUT_MS,
                (int) heartbeat.toMillis(),
                tls.entrance(credentials));
        ClientNetwork used = network == null ? ClientNetwork.create() : network;
        ClientNetwork own = network == null ? used : null;
        Link link = new Link(used.loop(), parsed, settings, Clock.SYSTEM, random.split());
        SplittableRandom ofReaders = random.split();
        Supplier<Link> readers = () -> {
            synchronized (ofReaders) {
                return new Link(
                        link.loop(),
                        parsed,
                        settings.forReading(instanceId(ofReaders)),
                        Clock.SYSTEM,
                        ofReaders.split());
            }
        };
        HealthReporter.Settings health =
                new HealthReporter.Settings((int) healthInterval.toMillis(), healthRoot, appHealth);
        ClientContext context = new ClientContext(
                new ClientSettings(
                        clientName,
                        new ClientSettings.Timing(requestTimeout, metadataRefresh),
                        metrics,
                        health,
                        onPressure,
                        settings.instanceId(),
                        onToggles),
                link,
                Clock.SYSTEM,
                new Retries(random));
        ConnectedClient client = new ConnectedClient(own, link, readers, context, !waitForBroker.isZero());
        Duration oneRound = connectTimeout.plusMillis(HANDSHAKE_TIMEOUT_MS).multipliedBy(parsed.size());
        client.connect(waitForBroker.isZero() ? oneRound : waitForBroker);
        return client;
    }

    private static ByteString instanceId(SplittableRandom random) {
        byte[] id = new byte[16];
        random.nextBytes(id);
        return ByteString.copyFrom(id);
    }

    private static Endpoint parse(String text) {
        try {
            return Endpoint.parse(text);
        } catch (IllegalArgumentException e) {
            throw Arguments.invalid("the endpoint \"" + text + "\" is wrong", String.valueOf(e.getMessage()));
        }
    }
}
