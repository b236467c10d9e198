package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.GroupPartition;
import io.spillway.protocol.v1.GroupSnapshot;
import io.spillway.protocol.v1.MemberInfo;
import io.spillway.protocol.v1.SeekPartition;
import io.spillway.protocol.v1.SeekResult;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/** Groups and their members in JSON. */
final class GroupJson {
    private static final String[] MODES = {"shared", "key-ordered", "exclusive"};
    /** Members beyond are counted and not shown. */
    private static final int MAX_MEMBERS = 500;

    private GroupJson() {}

    static void row(JsonGenerator json, GroupInfo group) throws IOException {
        json.writeStringField("topic", group.getTopic());
        json.writeStringField("group", group.getGroup());
        json.writeStringField("mode", group.getMode() < MODES.length ? MODES[group.getMode()] : "unknown");
        json.writeNumberField("lag", sum(group, GroupPartition::getBacklog));
        json.writeNumberField("in_flight", sum(group, GroupPartition::getInFlight));
        json.writeNumberField("waiting_retry", sum(group, GroupPartition::getWaitingRetry));
        json.writeNumberField("scheduled", sum(group, GroupPartition::getScheduled));
        json.writeNumberField("key_blocked", sum(group, GroupPartition::getKeyBlocked));
        json.writeNumberField("dropped", sum(group, GroupPartition::getDropped));
        json.writeNumberField("members", group.getMembers());
        json.writeNumberField("acked", group.getAcked());
        json.writeNumberField("dead_lettered", group.getDeadLettered());
        json.writeBooleanField("paused", group.getPaused());
        json.writeStringField("pause_reason", group.getPauseReason());
        json.writeNumberField("paused_ms", group.getPausedUnixMs());
        json.writeObjectFieldStart("states");
        for (Map.Entry<String, Integer> state : states(group).entrySet()) {
            json.writeNumberField(state.getKey(), state.getValue());
        }
        json.writeEndObject();
    }

    private static Map<String, Integer> states(GroupInfo group) {
        Map<String, Integer> states = new TreeMap<>();
        group.getMemberListList().forEach(member -> states.merge(member.getState(), 1, Integer::sum));
        return states;
    }

    private static long sum(GroupInfo group, ToLongFunction<GroupPartition> figure) {
        return group.getPartitionsList().stream().mapToLong(figure).sum();
    }

    static void details(JsonGenerator json, GroupInfo group) throws IOException {
        json.writeNumberField("revision", group.getRevision());
        json.writeNumberField("created_ms", group.getCreatedUnixMs());
        json.writeObjectFieldStart("config");
        for (Map.Entry<String, String> setting : new TreeMap<>(group.getConfigMap()).entrySet()) {
            json.writeStringField(setting.getKey(), setting.getValue());
        }
        json.writeEndObject();
        partitions(json, group.getPartitionsList());
        json.writeArrayFieldStart("member_list");
        List<MemberInfo> members = group.getMemberListList();
        for (MemberInfo member : members.subList(0, Math.min(MAX_MEMBERS, members.size()))) {
            member(json, member);
        }
        json.writeEndArray();
    }

    private static void partitions(JsonGenerator json, List<GroupPartition> partitions) throws IOException {
        json.writeArrayFieldStart("partitions");
        for (GroupPartition partition : partitions) {
            json.writeStartObject();
            json.writeNumberField("partition", partition.getPartition());
            json.writeNumberField("cursor", partition.getCursor());
            json.writeNumberField("end", partition.getEndOffset());
            json.writeNumberField("lag", partition.getBacklog());
            json.writeNumberField("in_flight", partition.getInFlight());
            json.writeNumberField("waiting_retry", partition.getWaitingRetry());
            json.writeNumberField("acked_above", partition.getAckedAbove());
            json.writeNumberField("scheduled", partition.getScheduled());
            json.writeNumberField("key_blocked", partition.getKeyBlocked());
            json.writeNumberField("dropped", partition.getDropped());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void member(JsonGenerator json, MemberInfo member) throws IOException {
        json.writeStartObject();
        json.writeStringField("member", Long.toString(member.getMember()));
        json.writeStringField("name", member.getName());
        json.writeBooleanField("active", member.getActive());
        json.writeNumberField("in_flight", member.getInFlight());
        json.writeBooleanField("paused", member.getPaused());
        json.writeNumberField("lease_ms", member.getLeaseMs());
        json.writeStringField("state", member.getState());
        json.writeNumberField("weight_pm", member.getWeightPm());
        json.writeStringField("why", member.getWhy());
        json.writeBooleanField("relieved", member.getRelieved());
        json.writeEndObject();
    }

    static String snapshots(List<GroupSnapshot> snapshots) {
        return JsonObject.of(json -> {
            json.writeArrayFieldStart("snapshots");
            for (GroupSnapshot snapshot : snapshots) {
                json.writeStartObject();
                json.writeStringField("name", snapshot.getName());
                json.writeNumberField("taken_ms", snapshot.getTakenUnixMs());
                json.writeStringField("reason", snapshot.getReason());
                partitions(json, snapshot.getPartitionsList());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    static String sought(SeekResult result) {
        return JsonObject.of(json -> {
            json.writeBooleanField("applied", result.getApplied());
            json.writeArrayFieldStart("partitions");
            for (SeekPartition partition : result.getPartitionsList()) {
                json.writeStartObject();
                json.writeNumberField("partition", partition.getPartition());
                json.writeNumberField("from", partition.getFrom());
                json.writeNumberField("to", partition.getTo());
                json.writeNumberField("end", partition.getEnd());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }
}
