package io.spillway.broker.config;

import static io.spillway.broker.config.ValueType.address;
import static io.spillway.broker.config.ValueType.choice;
import static io.spillway.broker.config.ValueType.count;
import static io.spillway.broker.config.ValueType.duration;
import static io.spillway.broker.config.ValueType.flag;
import static io.spillway.broker.config.ValueType.fraction;
import static io.spillway.broker.config.ValueType.httpUrl;
import static io.spillway.broker.config.ValueType.path;
import static io.spillway.broker.config.ValueType.size;
import static io.spillway.broker.config.ValueType.text;

import io.spillway.broker.base.ListenAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Every setting of the broker: the one table that loader, errors, {@code config show} and documentation are made from. */
public final class Settings {
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;
    private static final long SECOND = 1_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    public static final Setting<Path> DATA_DIR = new Setting<>(
            "data-dir",
            path(),
            "./data",
            "The directory that holds everything the broker keeps. Created when missing.");
    public static final Setting<String> NODE_ID = new Setting<>(
            "node-id",
            text("[A-Za-z0-9._-]{0,64}", "empty, or at most 64 of A-Z a-z 0-9 . _ -"),
            "",
            "The name of this broker. Empty: a random one, made once and kept in the data directory.");
    public static final Setting<ListenAddress> LISTEN =
            new Setting<>("listen", address(), "127.0.0.1:7400", "Where clients connect. Port 0 picks a free one.");
    public static final Setting<ListenAddress> HTTP = new Setting<>(
            "http",
            address(),
            "127.0.0.1:7480",
            "Where /livez, /readyz, /metrics and /cluster are served. Port 0 picks a free one.");
    public static final Setting<String> ZONE = new Setting<>(
            "zone",
            text("[A-Za-z0-9._-]{1,64}", "1 to 64 of A-Z a-z 0-9 . _ -"),
            "default",
            "What fails together with this broker: a data centre, a rack. A cluster has one voter in each zone.");
    public static final Setting<String> ZONE_ORDER = new Setting<>(
            "zone-order",
            text("([A-Za-z0-9._-]{1,64}(,[A-Za-z0-9._-]{1,64})*)?", "empty, or ZONE,ZONE,..."),
            "",
            "Which zones are to lead, the first one rather than the second; the same at all nodes. Empty: any.");
    public static final Setting<String> CLUSTER_LISTEN = new Setting<>(
            "cluster-listen",
            text("(.+:[1-9]\\d{0,4})?", "empty, or HOST:PORT"),
            "",
            "Where the other nodes of a cluster connect, under an address they reach. Empty: the broker stands alone.");
    public static final Setting<String> SEED = new Setting<>(
            "seed",
            text("(\\S+:\\d{1,5}(,\\S+:\\d{1,5})*)?", "empty, or HOST:PORT,HOST:PORT,..."),
            "",
            "Addresses of nodes of the cluster to join, for a node that has no data yet. Empty: it forms a new cluster.");
    public static final Setting<String> CLUSTER_NAME = new Setting<>(
            "cluster-name",
            text("[A-Za-z0-9._-]{1,64}", "1 to 64 of A-Z a-z 0-9 . _ -"),
            "spillway",
            "The name of the cluster. Nodes of another name are refused.");
    public static final Setting<String> ADVERTISE = new Setting<>(
            "advertise",
            text("(\\S+:[1-9]\\d{0,4})?", "empty, or HOST:PORT"),
            "",
            "Where clients reach this node of a cluster. Empty: the address it listens at.");
    public static final Setting<String> CLUSTER_ADVERTISE = new Setting<>(
            "cluster-advertise",
            text("(\\S+:[1-9]\\d{0,4})?", "empty, or HOST:PORT"),
            "",
            "Where the other nodes reach this one, behind a translated address. Empty: at cluster-listen.");
    public static final Setting<String> CLUSTER_TLS_CERTIFICATE = new Setting<>(
            "cluster-tls.certificate",
            text(".*", "the path of a file"),
            "",
            "PEM file with this node's certificate for the other nodes, and its chain. Empty: they speak plain text.");
    public static final Setting<String> CLUSTER_TLS_KEY = new Setting<>(
            "cluster-tls.key", text(".*", "the path of a file"), "", "PEM file with the certificate's key, PKCS #8.");
    public static final Setting<String> CLUSTER_TLS_AUTHORITY = new Setting<>(
            "cluster-tls.authority",
            text(".*", "the path of a file"),
            "",
            "PEM file with the authority that signs the nodes' certificates; who shows none of its own is refused.");
    public static final Setting<Long> FOLLOWER_READ_MAX_LAG_MS = new Setting<>(
            "follower-read-max-lag-ms",
            duration(SECOND, DAY),
            "10s",
            "A follower that may have lacked something agreed on for longer sends its readers to another node.");
    public static final Setting<Integer> SHARDS = new Setting<>(
            "shards",
            count(0, 64),
            "0",
            "How many shards a new data directory gets; an existing one keeps its own. 0: half the processors.");
    public static final Setting<Integer> IO_THREADS =
            new Setting<>("io-threads", count(0, 256), "0", "Event loops for connections. 0: the broker chooses.");

    public static final Setting<Long> LOG_SEGMENT_BYTES = new Setting<>(
            "log.segment-bytes",
            size(2 * MIB, GIB),
            "64MiB",
            "The size of a segment file, reserved on disk before use. Disk is freed in whole segments.");
    public static final Setting<Long> LOG_MIN_FREE_BYTES = new Setting<>(
            "log.min-free-bytes",
            size(0, TIB),
            "256MiB",
            "With less free space than this the broker refuses to publish (READ_ONLY) until there is more again.");
    public static final Setting<Long> LOG_SEGMENT_MAX_AGE_MS = new Setting<>(
            "log.segment-max-age-ms",
            duration(SECOND, 30 * DAY),
            "10m",
            "A segment is closed at this age even when it is not full, so that retention by age can free it.");
    public static final Setting<Integer> LOG_RELOCATE_BELOW_PERMILLE = new Setting<>(
            "log.relocate-below-permille",
            count(0, 900),
            "250",
            "A closed segment of which less than this share is still wanted has that moved forward and is freed. 0: never.");
    public static final Setting<Long> LOG_FLUSH_INTERVAL_MS = new Setting<>(
            "log.flush-interval-ms",
            duration(10, HOUR),
            "1s",
            "How often data that was acked MAPPED is synced to disk in the background.");
    public static final Setting<Long> SNAPSHOT_INTERVAL_BYTES = new Setting<>(
            "snapshot.interval-bytes",
            size(MIB, TIB),
            "256MiB",
            "A shard writes a snapshot of its state after so much log; a restart after a crash reads at most this again.");

    public static final Setting<Boolean> TOPICS_AUTO_CREATE = new Setting<>(
            "topics.auto-create",
            flag(),
            "false",
            "Whether a topic that a client asks for by name is created when it is missing.");
    public static final Setting<Integer> TOPICS_DEFAULT_PARTITIONS = new Setting<>(
            "topics.default-partitions",
            count(1, 1024),
            "1",
            "Partitions of a topic that is created without a number.");
    public static final Setting<String> TOPICS_DEFAULT_DURABILITY = new Setting<>(
            "topics.default-durability",
            choice("mapped", "synced"),
            "synced",
            "Durability of a topic that is created without one: mapped survives the process, synced the machine.");
    public static final Setting<Long> RETENTION_CHECK_INTERVAL_MS = new Setting<>(
            "retention.check-interval-ms",
            duration(10, DAY),
            "30s",
            "How often topics are trimmed to their retention and disk is freed.");

    public static final Setting<Long> SESSION_HEARTBEAT_MS = new Setting<>(
            "session.heartbeat-ms",
            duration(SECOND, MINUTE),
            "5s",
            "A connection without a byte for three of these is dead.");
    public static final Setting<Long> SESSION_MAX_FRAME_BYTES = new Setting<>(
            "session.max-frame-bytes", size(2 * MIB, 16 * MIB), "16MiB", "The largest frame that is accepted.");
    public static final Setting<Integer> SESSION_MAX_CONNECTIONS = new Setting<>(
            "session.max-connections", count(1, 1_000_000), "10000", "Client connections beyond this are refused.");

    public static final Setting<Integer> SESSION_MAX_CONNECTIONS_PER_ADDRESS = new Setting<>(
            "session.max-connections-per-address",
            count(0, 1_000_000),
            "0",
            "Connections of one address beyond this are closed at once. 0: as many as there may be at all.");
    public static final Setting<Integer> SESSION_MAX_HALF_OPEN = new Setting<>(
            "session.max-half-open",
            count(1, 100_000),
            "1000",
            "Connections whose clients have not said yet who they are. Beyond it the oldest of the address that has most is closed.");
    public static final Setting<Long> SESSION_HANDSHAKE_TIMEOUT_MS = new Setting<>(
            "session.handshake-timeout-ms",
            duration(100, MINUTE),
            "5s",
            "How long a client may take to open its session: TLS, preface, HELLO and login all together.");

    public static final Setting<String> TLS_CERTIFICATE = new Setting<>(
            "tls.certificate",
            text(".*", "the path of a file"),
            "",
            "PEM file with the broker's certificate for clients and for http, and its chain. Empty: plain text. This file and "
                    + "those that belong to it are read again when they change.");
    public static final Setting<String> TLS_KEY = new Setting<>(
            "tls.key", text(".*", "the path of a file"), "", "PEM file with the certificate's key, PKCS #8.");
    public static final Setting<String> TLS_CLIENT_AUTHORITY = new Setting<>(
            "tls.client-authority",
            text(".*", "the path of a file"),
            "",
            "PEM file with the authority that signs clients' certificates. Empty: clients show none.");
    public static final Setting<String> TLS_CLIENT_AUTH = new Setting<>(
            "tls.client-auth",
            choice("none", "request", "require"),
            "none",
            "Whether clients may show a certificate, or must. At http none is required, but may be shown.");
    public static final Setting<Boolean> TLS_HTTP =
            new Setting<>("tls.http", flag(), "true", "Whether http is encrypted, too, when tls.certificate is set.");

    public static final Setting<Boolean> AUTH_REQUIRED = new Setting<>(
            "auth.required",
            flag(),
            "false",
            "Whether clients, and whoever uses http, must prove who they are: by certificate, password or token.");
    public static final Setting<String> AUTH_CERTIFICATE_PRINCIPAL = new Setting<>(
            "auth.certificate-principal",
            choice("cn", "san-uri"),
            "cn",
            "Which name of a client's certificate is its principal: the common name, or the first URI of the alternative names.");
    public static final Setting<String> AUTH_CREDENTIALS_FILE = new Setting<>(
            "auth.credentials-file",
            text(".*", "the path of a file"),
            "",
            "File with users that may log in beside those of spillway user: the first operator. Made by spillway secure init.");
    public static final Setting<String> AUTH_TOKEN_KEYS = new Setting<>(
            "auth.token-keys",
            text(".*", "the path of a directory"),
            "",
            "Directory with the keys that tokens are verified with: ID.pem, a public key of P-256 or Ed25519, or ID.hmac.");
    public static final Setting<String> AUTH_TOKEN_AUDIENCE = new Setting<>(
            "auth.token-audience",
            text("\\S{1,200}", "1 to 200 characters without spaces"),
            "spillway",
            "For whom tokens must be issued.");
    public static final Setting<Boolean> AUTH_PLAIN_SECRETS = new Setting<>(
            "auth.plain-secrets",
            flag(),
            "false",
            "Whether tokens, and passwords at http, are taken over connections without TLS, as behind a proxy that has it.");
    public static final Setting<String> AUTH_SUPER_USERS = new Setting<>(
            "auth.super-users",
            text("[^,]*(,[^,]+)*", "PRINCIPAL,PRINCIPAL,..."),
            "",
            "Principals for whom no rule counts.");
    public static final Setting<Boolean> AUTH_ACL = new Setting<>(
            "auth.acl",
            flag(),
            "false",
            "Whether rules say who may do what: what no rule of spillway acl allows is denied then.");
    public static final Setting<Boolean> AUTH_OPEN_METRICS = new Setting<>(
            "auth.open-metrics",
            flag(),
            "false",
            "Whether everybody may read /metrics when auth.required or auth.acl is on.");

    public static final Setting<Integer> AUTH_FREE_FAILURES = new Setting<>(
            "auth.free-failures",
            count(0, 1_000),
            "5",
            "Wrong passwords of a user at an address before he waits there, a second at first and a minute at most; ten times as "
                    + "many of all users before the address waits. 0: nobody waits.");

    public static final Setting<String> LINK_TLS_AUTHORITY = new Setting<>(
            "link.tls-authority",
            text(".*", "the path of a file"),
            "",
            "PEM file with the authority that signs the certificates of links' sources. Empty: they are spoken to in plain text.");
    public static final Setting<String> LINK_TLS_CERTIFICATE = new Setting<>(
            "link.tls-certificate",
            text(".*", "the path of a file"),
            "",
            "PEM file with the certificate that links show their sources. Empty: none.");
    public static final Setting<String> LINK_TLS_KEY = new Setting<>(
            "link.tls-key", text(".*", "the path of a file"), "", "PEM file with that certificate's key, PKCS #8.");
    public static final Setting<String> LINK_USER = new Setting<>(
            "link.user",
            text("[^,=]{0,255}", "the name of a user"),
            "",
            "The user that links log in as at their sources. Empty: their certificate says who they are, or nothing.");
    public static final Setting<String> LINK_PASSWORD_FILE = new Setting<>(
            "link.password-file", text(".*", "the path of a file"), "", "File with that user's password.");

    public static final Setting<Integer> PUBLISH_WINDOW_BATCHES = new Setting<>(
            "publish.window-batches",
            count(1, 64),
            "32",
            "Credit of a publisher: batches it may have sent without an answer.");
    public static final Setting<Long> PUBLISH_WINDOW_BYTES = new Setting<>(
            "publish.window-bytes",
            size(MIB, GIB),
            "16MiB",
            "Credit of a publisher: bytes it may have sent without an answer.");
    public static final Setting<Long> PUBLISH_BUDGET_BYTES = new Setting<>(
            "publish.budget-bytes",
            size(2 * MIB, 64 * GIB),
            "256MiB",
            "Bytes of all publishes that may wait in the broker; beyond it they are refused with OVERLOADED.");

    public static final Setting<Boolean> CONTROL_ENABLED = new Setting<>(
            "control.enabled",
            flag(),
            "true",
            "Fair turns, credit by delay, pressure and weights by health. Off only to measure what they cost.");

    public static final Setting<Long> GROUP_FLUSH_INTERVAL_MS = new Setting<>(
            "group.flush-interval-ms",
            duration(0, MINUTE),
            "5ms",
            "Acks of a group are gathered for so long before they are written to the log.");
    public static final Setting<Long> GROUP_DEFAULT_LEASE_MS = new Setting<>(
            "group.default-lease-ms",
            duration(SECOND, 12 * HOUR),
            "30s",
            "How long a message is leased to a consumer that does not say.");
    public static final Setting<Integer> GROUP_DEFAULT_MAX_DELIVERIES = new Setting<>(
            "group.default-max-deliveries",
            count(0, 1_000),
            "0",
            "Failed deliveries after which a message goes to the dead-letter topic, unless the consumer says. 0: never.");
    public static final Setting<Integer> GROUP_DEFAULT_MAX_UNACKED = new Setting<>(
            "group.default-max-unacked",
            count(1, 1_000_000),
            "10000",
            "Messages a consumer may hold unsettled, unless it says.");
    public static final Setting<Integer> GROUP_OTHER_ZONE_PERCENT = new Setting<>(
            "group.other-zone-percent",
            count(1, 100),
            "50",
            "Share of the weight that a consumer keeps which reports its health from another zone than this broker's.");

    public static final Setting<String> TRACING_ENDPOINT = new Setting<>(
            "tracing.otlp-endpoint",
            httpUrl(),
            "",
            "Where the broker sends spans: a collector that takes OTLP over HTTP, usually at port 4318; without a path "
                    + "/v1/traces is meant. Empty: the broker makes no spans.");
    public static final Setting<Double> TRACING_SAMPLE_RATIO = new Setting<>(
            "tracing.sample-ratio",
            fraction(),
            "1",
            "Of the traces that publishers sample, the share for which the broker makes spans.");
    public static final Setting<Long> TRACING_EXPORT_TIMEOUT_MS = new Setting<>(
            "tracing.export-timeout-ms", duration(100, MINUTE), "10s", "How long one export of spans may take.");
    public static final Setting<Integer> TRACING_QUEUE_SPANS = new Setting<>(
            "tracing.queue-spans",
            count(128, 1_000_000),
            "8192",
            "Spans that may wait for their export. Those beyond it are counted and dropped; nothing waits for them.");
    public static final Setting<String> LOGGING_FORMAT = new Setting<>(
            "logging.format",
            choice("text", "json"),
            "text",
            "What the broker writes to standard error: lines for people, or a JSON object a line.");
    public static final Setting<Boolean> CHAOS_ENABLED = new Setting<>(
            "chaos.enabled",
            flag(),
            "false",
            "Whether faults may be injected with spillway chaos. On only where somebody rehearses.");
    public static final Setting<Long> CANARY_INTERVAL_MS = new Setting<>(
            "canary.interval-ms",
            duration(0, HOUR),
            "0",
            "How often the broker publishes a record to its own topic, and takes it again. 0: never. It costs one synced entry "
                    + "each time, and a topic nobody asked for, so it is off by default.");

    public static final Setting<Long> DRAIN_TIMEOUT_MS = new Setting<>(
            "drain-timeout-ms",
            duration(0, 10 * MINUTE),
            "8s",
            "How long a stopping broker waits for connected clients to finish before it closes their connections.");

    /** All of them, in the order of the documentation. */
    public static final List<Setting<?>> ALL = List.of(
            DATA_DIR,
            NODE_ID,
            LISTEN,
            HTTP,
            ZONE,
            ZONE_ORDER,
            CLUSTER_LISTEN,
            SEED,
            CLUSTER_NAME,
            ADVERTISE,
            CLUSTER_ADVERTISE,
            CLUSTER_TLS_CERTIFICATE,
            CLUSTER_TLS_KEY,
            CLUSTER_TLS_AUTHORITY,
            FOLLOWER_READ_MAX_LAG_MS,
            SHARDS,
            IO_THREADS,
            LOG_SEGMENT_BYTES,
            LOG_MIN_FREE_BYTES,
            LOG_SEGMENT_MAX_AGE_MS,
            LOG_RELOCATE_BELOW_PERMILLE,
            LOG_FLUSH_INTERVAL_MS,
            SNAPSHOT_INTERVAL_BYTES,
            TOPICS_AUTO_CREATE,
            TOPICS_DEFAULT_PARTITIONS,
            TOPICS_DEFAULT_DURABILITY,
            RETENTION_CHECK_INTERVAL_MS,
            SESSION_HEARTBEAT_MS,
            SESSION_MAX_FRAME_BYTES,
            SESSION_MAX_CONNECTIONS,
            SESSION_MAX_CONNECTIONS_PER_ADDRESS,
            SESSION_MAX_HALF_OPEN,
            SESSION_HANDSHAKE_TIMEOUT_MS,
            TLS_CERTIFICATE,
            TLS_KEY,
            TLS_CLIENT_AUTHORITY,
            TLS_CLIENT_AUTH,
            TLS_HTTP,
            AUTH_REQUIRED,
            AUTH_CERTIFICATE_PRINCIPAL,
            AUTH_CREDENTIALS_FILE,
            AUTH_TOKEN_KEYS,
            AUTH_TOKEN_AUDIENCE,
            AUTH_PLAIN_SECRETS,
            AUTH_SUPER_USERS,
            AUTH_ACL,
            AUTH_OPEN_METRICS,
            AUTH_FREE_FAILURES,
            LINK_TLS_AUTHORITY,
            LINK_TLS_CERTIFICATE,
            LINK_TLS_KEY,
            LINK_USER,
            LINK_PASSWORD_FILE,
            PUBLISH_WINDOW_BATCHES,
            PUBLISH_WINDOW_BYTES,
            PUBLISH_BUDGET_BYTES,
            CONTROL_ENABLED,
            GROUP_FLUSH_INTERVAL_MS,
            GROUP_DEFAULT_LEASE_MS,
            GROUP_DEFAULT_MAX_DELIVERIES,
            GROUP_DEFAULT_MAX_UNACKED,
            GROUP_OTHER_ZONE_PERCENT,
            TRACING_ENDPOINT,
            TRACING_SAMPLE_RATIO,
            TRACING_EXPORT_TIMEOUT_MS,
            TRACING_QUEUE_SPANS,
            LOGGING_FORMAT,
            CHAOS_ENABLED,
            CANARY_INTERVAL_MS,
            DRAIN_TIMEOUT_MS);

    private Settings() {}

    /** The setting of that key. */
    public static Optional<Setting<?>> find(String key) {
        return ALL.stream().filter(setting -> setting.key().equals(key)).findFirst();
    }
}
