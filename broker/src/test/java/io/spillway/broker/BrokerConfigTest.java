package io.spillway.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.auth.AuthSettings;
import io.spillway.broker.auth.CertifiedNames;
import io.spillway.broker.auth.Tls;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.cluster.MemberTerms;
import io.spillway.broker.link.SourceAccess;
import io.spillway.broker.log.LogConfig;
import io.spillway.broker.tracing.TracingConfig;
import io.spillway.broker.transport.Door;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class BrokerConfigTest {
    @Test
    void theDefaultsOfTheLogAreItsOwn() {
        assertThat(BrokerConfig.of(Map.of()).log()).isEqualTo(LogConfig.defaults());
    }

    @Test
    void takesEachValueFromItsSetting() {
        BrokerConfig config = BrokerConfig.of(Map.ofEntries(
                Map.entry("data-dir", "/tmp/d"),
                Map.entry("node-id", "n"),
                Map.entry("listen", "h:1"),
                Map.entry("http", "h:2"),
                Map.entry("shards", "3"),
                Map.entry("io-threads", "4"),
                Map.entry("log.segment-bytes", "5MiB"),
                Map.entry("log.min-free-bytes", "6"),
                Map.entry("log.segment-max-age-ms", "7s"),
                Map.entry("log.relocate-below-permille", "8"),
                Map.entry("log.flush-interval-ms", "19"),
                Map.entry("snapshot.interval-bytes", "10MiB"),
                Map.entry("topics.auto-create", "true"),
                Map.entry("topics.default-partitions", "11"),
                Map.entry("topics.default-durability", "mapped"),
                Map.entry("retention.check-interval-ms", "12"),
                Map.entry("session.heartbeat-ms", "13s"),
                Map.entry("session.max-frame-bytes", "14MiB"),
                Map.entry("session.max-connections", "15"),
                Map.entry("publish.window-batches", "16"),
                Map.entry("publish.window-bytes", "17MiB"),
                Map.entry("publish.budget-bytes", "23MiB"),
                Map.entry("control.enabled", "false"),
                Map.entry("group.flush-interval-ms", "18"),
                Map.entry("group.default-lease-ms", "19s"),
                Map.entry("group.default-max-deliveries", "20"),
                Map.entry("group.default-max-unacked", "21"),
                Map.entry("group.other-zone-percent", "29"),
                Map.entry("zone", "z"),
                Map.entry("cluster-name", "c"),
                Map.entry("cluster-listen", "h:24"),
                Map.entry("seed", "h:25,h:26"),
                Map.entry("advertise", "h:27"),
                Map.entry("cluster-advertise", "h:28"),
                Map.entry("cluster-tls.certificate", "a.pem"),
                Map.entry("cluster-tls.key", "b.pem"),
                Map.entry("cluster-tls.authority", "c.pem"),
                Map.entry("follower-read-max-lag-ms", "28s"),
                Map.entry("zone-order", "y,z"),
                Map.entry("session.max-connections-per-address", "30"),
                Map.entry("session.max-half-open", "31"),
                Map.entry("session.handshake-timeout-ms", "32s"),
                Map.entry("tls.certificate", "d.pem"),
                Map.entry("tls.key", "e.pem"),
                Map.entry("tls.client-authority", "f.pem"),
                Map.entry("tls.client-auth", "require"),
                Map.entry("tls.http", "false"),
                Map.entry("auth.required", "true"),
                Map.entry("auth.certificate-principal", "san-uri"),
                Map.entry("auth.credentials-file", "g"),
                Map.entry("auth.token-keys", "h"),
                Map.entry("auth.token-audience", "i"),
                Map.entry("auth.plain-secrets", "true"),
                Map.entry("auth.super-users", "j, k"),
                Map.entry("auth.acl", "true"),
                Map.entry("auth.open-metrics", "true"),
                Map.entry("auth.free-failures", "33"),
                Map.entry("link.tls-authority", "l.pem"),
                Map.entry("link.tls-certificate", "m.pem"),
                Map.entry("link.tls-key", "n.pem"),
                Map.entry("link.user", "o"),
                Map.entry("link.password-file", "p"),
                Map.entry("tracing.otlp-endpoint", "http://q:33"),
                Map.entry("tracing.sample-ratio", "0.34"),
                Map.entry("tracing.export-timeout-ms", "35s"),
                Map.entry("tracing.queue-spans", "360"),
                Map.entry("chaos.enabled", "true"),
                Map.entry("canary.interval-ms", "33"),
                Map.entry("drain-timeout-ms", "22")));

        assertThat(config)
                .isEqualTo(new BrokerConfig(
                        Path.of("/tmp/d"),
                        "n",
                        new ListenAddress("h", 1),
                        new ListenAddress("h", 2),
                        3,
                        4,
                        new LogConfig(5 << 20, 6, 7_000, 8),
                        19,
                        10 << 20,
                        new BrokerConfig.Topics(true, 11, "mapped", 12),
                        new BrokerConfig.Session(13_000, 14 << 20),
                        new BrokerConfig.Publish(16, 17 << 20, 23 << 20),
                        false,
                        new BrokerConfig.Group(18, 19_000, 20, 21, 29),
                        new ClusterConfig(
                                "c",
                                "z",
                                "h:24",
                                List.of("h:25", "h:26"),
                                "h:27",
                                "h:28",
                                new MemberTerms(28_000, List.of("y", "z")),
                                List.of("a.pem", "b.pem", "c.pem")),
                        new SecurityConfig(
                                new Tls.Sources(Path.of("d.pem"), Path.of("e.pem"), Path.of("f.pem"), true),
                                false,
                                CertifiedNames.SAN_URI,
                                new AuthSettings(true, "i", true, true, Set.of("j", "k"), true, 33),
                                Path.of("g"),
                                Path.of("h"),
                                new SourceAccess(
                                        Path.of("l.pem"), Path.of("m.pem"), Path.of("n.pem"), "o", Path.of("p")),
                                new Door.Limits(15, 30, 31),
                                32_000),
                        new TracingConfig("http://q:33", 0.34, 35_000, 360),
                        new BrokerConfig.Rehearsing(true, 33),
                        22));
    }
}
