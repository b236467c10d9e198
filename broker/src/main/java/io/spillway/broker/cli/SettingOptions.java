package io.spillway.broker.cli;

import io.spillway.broker.config.ConfigLoader;
import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that set settings of a broker. */
final class SettingOptions {
    @Option(names = "--config", paramLabel = "FILE", description = "YAML file with settings.")
    private @Nullable Path file;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Directory of everything the broker keeps. Default: ./data.")
    private @Nullable String dataDir;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "Where clients connect; port 0 picks a free one. Default: 127.0.0.1:7400.")
    private @Nullable String listen;

    @Option(
            names = "--http",
            paramLabel = "HOST:PORT",
            description = "Where /livez, /readyz and /metrics are; port 0 picks a free one. Default: 127.0.0.1:7480.")
    private @Nullable String http;

    @Option(names = "--node-id", paramLabel = "ID", description = "The name of this broker.")
    private @Nullable String nodeId;

    @Option(
            names = "--zone",
            paramLabel = "ZONE",
            description = "What fails together with this broker. A cluster has one voter in each zone.")
    private @Nullable String zone;

    @Option(
            names = "--cluster-listen",
            paramLabel = "HOST:PORT",
            description = "Where the other nodes of a cluster connect. Default: the broker stands alone.")
    private @Nullable String clusterListen;

    @Option(
            names = "--seed",
            paramLabel = "HOST:PORT",
            split = ",",
            description = "A node of the cluster to join. May be repeated. Without one a new cluster is formed.")
    private List<String> seeds = new ArrayList<>();

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any setting, for instance --set log.segment-bytes=16MiB. May be repeated.")
    private List<String> assignments = new ArrayList<>();

    /** The settings in effect. Throws INVALID_ARGUMENT for the first thing that is wrong. */
    EffectiveSettings load(Map<String, String> environment) {
        ConfigLoader loader = new ConfigLoader();
        if (file != null) {
            loader.file(file);
        }
        loader.environment(environment).assignments(assignments);
        if (dataDir != null) {
            loader.flag("--data-dir", Settings.DATA_DIR, dataDir);
        }
        if (listen != null) {
            loader.flag("--listen", Settings.LISTEN, listen);
        }
        if (http != null) {
            loader.flag("--http", Settings.HTTP, http);
        }
        if (nodeId != null) {
            loader.flag("--node-id", Settings.NODE_ID, nodeId);
        }
        if (zone != null) {
            loader.flag("--zone", Settings.ZONE, zone);
        }
        if (clusterListen != null) {
            loader.flag("--cluster-listen", Settings.CLUSTER_LISTEN, clusterListen);
        }
        if (!seeds.isEmpty()) {
            loader.flag("--seed", Settings.SEED, String.join(",", seeds));
        }
        return loader.load();
    }
}
