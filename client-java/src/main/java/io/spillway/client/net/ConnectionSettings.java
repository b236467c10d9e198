package io.spillway.client.net;

import com.google.protobuf.ByteString;
import io.spillway.protocol.FrameDecoder;
import io.spillway.protocol.v1.Hello;
import java.util.List;

/**
 * What a client says of itself and how long it waits.
 *
 * @param instanceId 16 random bytes that name this client for its life
 * @param features of the protocol that it offers
 * @param connectTimeoutMs limit of a TCP connect
 * @param handshakeTimeoutMs limit of preface and Hello after it
 * @param followerReads it only reads, at the nearest node of a cluster, which may follow
 * @param heartbeatMs asked for; the broker decides
 */
public record ConnectionSettings(
        String clientName,
        ByteString instanceId,
        String zone,
        String failureDomain,
        boolean followerReads,
        List<Integer> features,
        int connectTimeoutMs,
        int handshakeTimeoutMs,
        int heartbeatMs,
        Entrance entrance) {
    public static final String CLIENT_VERSION = "0.1.0";

    /** Of a connection of its own that only reads. */
    public ConnectionSettings forReading(ByteString ownInstanceId) {
        return new ConnectionSettings(
                clientName,
                ownInstanceId,
                zone,
                failureDomain,
                true,
                List.of(),
                connectTimeoutMs,
                handshakeTimeoutMs,
                heartbeatMs,
                entrance);
    }

    Hello hello(long nowMs) {
        return Hello.newBuilder()
                .setClientId(clientName)
                .setInstanceId(instanceId)
                .setLang("java")
                .setClientVersion(CLIENT_VERSION)
                .setRuntime("java " + Runtime.version().feature())
                .setZone(zone)
                .setFailureDomain(failureDomain)
                .setFollowerReads(followerReads)
                .addAllFeatures(features)
                .setHeartbeatMs(heartbeatMs)
                .setMaxFrame(FrameDecoder.DEFAULT_MAX_FRAME_BYTES)
                .setUnixMs(nowMs)
                .build();
    }
}
