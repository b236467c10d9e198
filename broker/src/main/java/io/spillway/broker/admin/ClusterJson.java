package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the routes of the cluster answer, as JSON. Thread-safe. */
final class ClusterJson {
    private ClusterJson() {}

    /**
     * What a node says of itself.
     *
     * @param stopped why it takes no part any more; empty while it does
     * @param stoppedNext what to do then
     * @param returning why it takes no part yet; empty when it does
     * @param behind why it is not whole although it hears the leader; empty when it is
     * @param quarantine where damaged files are kept
     */
    record Standing(String stopped, String stoppedNext, String returning, String behind, List<String> quarantine) {
        Standing {
            quarantine = List.copyOf(quarantine);
        }
    }

    /**
     * @param own this node's view
     * @param seen the leader's, with the others' figures; null when it is not to be had
     * @param at what this node says of itself
     */
    static String status(ClusterStatus own, @Nullable ClusterStatus seen, Standing at) {
        String stopped = at.stopped();
        ClusterStatus shown = seen == null ? own : seen;
        return JsonObject.of(json -> {
            json.writeStringField("cluster", own.cluster());
            string(json, "cluster_id", own.id().isEmpty() ? null : own.id());
            json.writeStringField("node", own.self());
            json.writeNumberField("term", shown.term());
            Peer leader = stopped.isEmpty() ? shown.leader() : null;
            string(json, "leader", leader == null ? null : leader.id());
            json.writeNumberField("commit", own.commit());
            json.writeNumberField("applied", own.applied());
            string(json, "stopped", stopped.isEmpty() ? null : stopped);
            string(json, "stopped_next", stopped.isEmpty() ? null : at.stoppedNext());
            string(json, "returning", at.returning().isEmpty() ? null : at.returning());
            string(json, "behind", at.behind().isEmpty() ? null : at.behind());
            json.writeArrayFieldStart("quarantine");
            for (String directory : at.quarantine()) {
                json.writeString(directory);
            }
            json.writeEndArray();
            string(json, "figures_from", seen == null ? null : seen.self());
            json.writeArrayFieldStart("nodes");
            for (ClusterStatus.Node node : shown.nodes()) {
                node(json, node, stopped.isEmpty());
            }
            json.writeEndArray();
        });
    }

    /** @param isKnown who leads is; else it may be another by now */
    private static void node(JsonGenerator json, ClusterStatus.Node node, boolean isKnown) throws IOException {
        Peer peer = node.peer();
        json.writeStartObject();
        json.writeStringField("node", peer.id());
        json.writeStringField("zone", peer.zone());
        json.writeStringField("role", node.role().name());
        json.writeBooleanField("leader", isKnown && node.isLeader());
        json.writeStringField("cluster_address", peer.clusterAddress());
        json.writeStringField("client_address", peer.clientAddress());
        number(json, "lag_entries", node.lagEntries());
        number(json, "lag_ms", node.lagMs());
        number(json, "last_contact_ms", node.lastContactMs());
        json.writeEndObject();
    }

    private static void string(JsonGenerator json, String name, @Nullable String value) throws IOException {
        json.writeFieldName(name);
        if (value == null) {
            json.writeNull();
        } else {
            json.writeString(value);
        }
    }

    private static void number(JsonGenerator json, String name, long value) throws IOException {
        json.writeFieldName(name);
        if (value == ClusterStatus.UNKNOWN) {
            json.writeNull();
        } else {
            json.writeNumber(value);
        }
    }

    /** A change is in effect. */
    static String done(String change, String node) {
        return JsonObject.of(json -> {
            json.writeStringField("done", change);
            json.writeStringField("node", node);
        });
    }

    static String error(SpillwayException error) {
        return JsonObject.of(json -> {
            json.writeStringField("code", error.code().name());
            json.writeStringField("what", error.what());
            json.writeStringField("why", error.why());
            json.writeStringField("next_step", error.nextStep());
            if (error.retryAfterMs() > 0) {
                json.writeNumberField("retry_after_ms", error.retryAfterMs());
            }
        });
    }
}
