package io.spillway.broker.replication;

import io.spillway.broker.replication.ReplicationConfig.Tls;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.rpc.SupportedRpcType;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.RaftServerConfigKeys.Log;
import org.apache.ratis.server.RaftServerConfigKeys.Rpc;
import org.apache.ratis.server.RaftServerConfigKeys.Write;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** What we set in Ratis, and why it is not the default. */
final class RaftSettings {
    /**
     * To a node that does not answer: ten times at once, then five times a second. By default every 5 s in the end, and a
     * node that is back needs three tries until it is followed up.
     */
    private static final String RETRIES = "1ms,10,200ms,1000000000";
    /** How long a question may take. */
    static final int ASK_TIMEOUT_MS = 10_000;
    /** How long a node that is being admitted may be silent; the default is a few elections, too short for a busy machine. */
    private static final int STAGING_TIMEOUT_MS = 5_000;

    /** What one request to a follower carries. An entry above it would make the leader step down. */
    private static final SizeInBytes APPEND_BYTES = SizeInBytes.valueOf("4MB");
    /** Of one write to the log's file; Ratis demands the largest entry and 8 bytes more. */
    private static final SizeInBytes WRITE_BUFFER_BYTES = SizeInBytes.valueOf("8MB");

    /**
     * Ratis takes space by filling it with zeros, and the next sync writes them. Under load entries are larger than this: then the zeros are
     * as many as the entry has bytes, and are overwritten before. A few small entries share one change of the file's size.
     */
    private static final SizeInBytes PREALLOCATED_BYTES = SizeInBytes.valueOf("64KB");
    /**
     * Of closed segments that stay in the heap for followers, beside the open one. What stays is copied by collections, and fills the part of
     * the heap that only collections of everything free.
     */
    private static final int CACHED_SEGMENTS = 1;

    private static final SizeInBytes MESSAGE_BYTES = SizeInBytes.valueOf("32MB");
    private static final SizeInBytes FLOW_WINDOW_BYTES = SizeInBytes.valueOf("8MB");

    /** Of the gRPC inside Ratis, which tells its news to java.util.logging. Held, or the level would be forgotten. */
    private static final Logger THIRD_PARTY = Logger.getLogger("org.apache.ratis.thirdparty");

    static {
        THIRD_PARTY.setLevel(Level.SEVERE);
    }

    private RaftSettings() {}

    static RaftProperties properties(ReplicationConfig config) {
        RaftProperties properties = new RaftProperties();
        RaftConfigKeys.Rpc.setType(properties, SupportedRpcType.GRPC);
        // The default is in /tmp.
        RaftServerConfigKeys.setStorageDir(
                properties, List.of(config.dir().toAbsolutePath().toFile()));
        // A paused process would close itself after the default of a minute.
        RaftServerConfigKeys.setCloseThreshold(properties, TimeDuration.valueOf(1, TimeUnit.DAYS));
        Rpc.setTimeoutMin(properties, ms(config.electionMinMs()));
        Rpc.setTimeoutMax(properties, ms(config.electionMaxMs()));
        RaftServerConfigKeys.setStagingTimeout(properties, ms(STAGING_TIMEOUT_MS));
        setLog(properties, config);
        Write.setElementLimit(properties, 4096);
        Write.setByteLimit(properties, SizeInBytes.valueOf(config.maxPendingBytes()));
        // Nobody repeats a proposal under its old number; by default replies stay in the heap for a minute.
        RaftServerConfigKeys.RetryCache.setExpiryTime(properties, TimeDuration.valueOf(1, TimeUnit.SECONDS));
        RaftClientConfigKeys.Rpc.setRequestTimeout(properties, ms(ASK_TIMEOUT_MS));
        GrpcConfigKeys.Server.setHost(properties, config.listen().host());
        GrpcConfigKeys.Server.setPort(properties, config.listen().port());
        GrpcConfigKeys.setMessageSizeMax(properties, MESSAGE_BYTES);
        GrpcConfigKeys.setFlowControlWindow(properties, FLOW_WINDOW_BYTES);
        return properties;
    }

    private static void setLog(RaftProperties properties, ReplicationConfig config) {
        // Each would be one more entry after every commit.
        Log.setLogMetadataEnabled(properties, false);
        Log.setSegmentSizeMax(properties, SizeInBytes.valueOf(config.segmentBytes()));
        Log.setPreallocatedSize(
                properties, SizeInBytes.valueOf(Math.min(config.segmentBytes(), PREALLOCATED_BYTES.getSize())));
        Log.setSegmentCacheNumMax(properties, CACHED_SEGMENTS);
        Log.setWriteBufferSize(properties, WRITE_BUFFER_BYTES);
        Log.Appender.setBufferByteLimit(properties, APPEND_BYTES);
        // Latency: do not collect for a millisecond; what arrives while a request is under way shares the next.
        Log.Appender.setWaitTimeMin(properties, TimeDuration.ZERO);
        Log.Appender.setRetryPolicy(properties, RETRIES);
        // What is no more in the log comes from the leader's files, by our own questions.
        Log.Appender.setInstallSnapshotEnabled(properties, false);
        Log.setPurgeUptoSnapshotIndex(properties, true);
        Log.setPurgeGap(properties, 64);
    }

    private static TimeDuration ms(int ms) {
        return TimeDuration.valueOf(ms, TimeUnit.MILLISECONDS);
    }

    static Parameters parameters(ReplicationConfig config) {
        Parameters parameters = new Parameters();
        Tls tls = config.tls();
        if (tls != null) {
            GrpcConfigKeys.TLS.setConf(
                    parameters,
                    new GrpcTlsConfig(file(tls.key()), file(tls.certificate()), file(tls.authority()), true));
        }
        return parameters;
    }

    private static File file(Path path) {
        return path.toAbsolutePath().toFile();
    }
}
