package io.spillway.broker.admin;

import com.google.protobuf.ByteString;
import io.spillway.broker.session.House;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.ReplaySelection;
import io.spillway.protocol.v1.ReplayStops;
import io.spillway.protocol.v1.ReplayTarget;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.TopicAdmin;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** What the console changes: each is the request that the command line would send, with a reason. Confined to the admin thread. */
final class ApiChanges {
    private static final int SNAPSHOTS = 10;
    private static final int PLAN = 1;
    private static final int START_JOB = 2;
    private static final Map<String, Integer> TOPIC =
            Map.of("create", 1, "alter", 2, "delete", 3, "purge", 4, "pause", 5, "resume", 6, "shed-class", 7);
    private static final Map<String, Integer> GROUP = Map.of(
            "delete", 3,
            "create", 4,
            "alter", 5,
            "pause", 6,
            "resume", 7,
            "snapshot", 8,
            "restore", 9,
            "snapshots", SNAPSHOTS,
            "delete-snapshot", 11);
    private static final Map<String, Integer> REPLAY =
            Map.of("plan", PLAN, "start", START_JOB, "pause", 5, "resume", 6, "cancel", 7, "delete", 9);
    private static final List<String> TARGETS = List.of("", "group", "new-group", "topic", "origin");
    private static final List<String> MODES = List.of("shared", "key-ordered", "exclusive");
    private static final Set<String> SELECTION =
            Set.of("topic", "partitions", "from", "to", "key", "filter", "cause", "unacked_by", "sample_pm");
    private static final Set<String> START =
            Set.of("id", "target", "name", "rate", "max_errors", "max_dead_letters", "max_lag");
    private static final int MAX_PER_MILLE = 1_000;

    private final House house;

    ApiChanges(House house) {
        this.house = house;
    }

    Map<String, ApiRoutes.Call> all() {
        Map<String, ApiRoutes.Call> calls = new HashMap<>();
        TOPIC.forEach((name, op) -> calls.put("topic/" + name, query -> topic(op, query)));
        GROUP.forEach((name, op) -> calls.put("group/" + name, query -> group(op, query)));
        calls.put("group/seek", this::seek);
        REPLAY.forEach((name, op) -> calls.put("replay/" + name, query -> replay(op, query)));
        return calls;
    }

    private static Set<String> with(Set<String> names, String... more) {
        Set<String> all = new HashSet<>(names);
        all.addAll(List.of(more));
        all.add(ApiQuery.REASON);
        return all;
    }

    private CompletableFuture<String> topic(int op, ApiQuery query) {
        query.only(
                with(Set.of("topic"), "partitions", "before", "publish", "dispatch", "shed_class", "expect_revision"));
        TopicAdmin request = TopicAdmin.newBuilder()
                .setOp(op)
                .setTopic(query.needed("topic"))
                .setReason(query.needed(ApiQuery.REASON))
                .setPartitions(query.count("partitions", 1, Integer.MAX_VALUE))
                .putAllConfig(query.settings())
                .setBefore(query.position("before"))
                .setPublish(query.flag("publish"))
                .setDispatch(query.flag("dispatch"))
                .setShedClass(query.count("shed_class", 0, Integer.MAX_VALUE))
                .setExpectRevision(query.number("expect_revision", 0, 0, Long.MAX_VALUE))
                .build();
        return house.topic(query.who(), request).thenApply(topic -> done(topic.getName(), topic.getRevision()));
    }

    private CompletableFuture<String> group(int op, ApiQuery query) {
        query.only(with(Set.of("topic", "group"), "mode", "start", "snapshot", "expect_revision"));
        GroupAdmin request = GroupAdmin.newBuilder()
                .setOp(op)
                .setTopic(query.needed("topic"))
                .setGroup(query.needed("group"))
                .setReason(query.needed(ApiQuery.REASON))
                .setMode(index("mode", MODES, query.text("mode")))
                .setStart(query.position("start"))
                .setSnapshot(query.text("snapshot"))
                .putAllArgs(query.settings())
                .setExpectRevision(query.number("expect_revision", 0, 0, Long.MAX_VALUE))
                .build();
        boolean asksSnapshots = op == SNAPSHOTS;
        return house.group(query.who(), request)
                .thenApply(changed -> asksSnapshots
                        ? GroupJson.snapshots(changed.snapshots().getSnapshotsList())
                        : done(request.getGroup(), changed.snapshots().getRevision()));
    }

    private static int index(String parameter, List<String> names, String text) {
        int index = text.isEmpty() ? 0 : names.indexOf(text);
        if (index < 0) {
            throw ApiQuery.invalid(parameter + " is " + text, "there are " + names);
        }
        return index;
    }

    private static String done(String name, long revision) {
        return JsonObject.of(json -> {
            json.writeStringField("name", name);
            json.writeNumberField("revision", revision);
        });
    }

    private CompletableFuture<String> seek(ApiQuery query) {
        query.only(with(Set.of("topic", "group"), "to", "dry_run", "expect_revision"));
        query.needed("to");
        Seek request = Seek.newBuilder()
                .setTopic(query.needed("topic"))
                .setGroup(query.needed("group"))
                .setTo(query.position("to"))
                .setDryRun(query.flag("dry_run"))
                .setReason(query.flag("dry_run") ? "" : query.needed(ApiQuery.REASON))
                .setExpectRevision(query.number("expect_revision", 0, 0, Long.MAX_VALUE))
                .build();
        return house.seek(query.who(), request).thenApply(GroupJson::sought);
    }

    private CompletableFuture<String> replay(int op, ApiQuery query) {
        query.only(with(with(SELECTION), START.toArray(new String[0])));
        ReplayAdmin.Builder request = ReplayAdmin.newBuilder().setOp(op).setReason(query.needed(ApiQuery.REASON));
        if (op == PLAN) {
            request.setSelection(selection(query));
        } else {
            request.setId(query.needed("id"));
        }
        if (op == START_JOB) {
            request.setTarget(ReplayTarget.newBuilder()
                            .setKind(index("target", TARGETS, query.needed("target")))
                            .setName(query.text("name")))
                    .setRate(query.count("rate", 0, Integer.MAX_VALUE))
                    .setStops(ReplayStops.newBuilder()
                            .setErrors(query.number("max_errors", 0, 0, Long.MAX_VALUE))
                            .setDeadLetters(query.number("max_dead_letters", 0, 0, Long.MAX_VALUE))
                            .setConsumerLag(query.number("max_lag", 0, 0, Long.MAX_VALUE)));
        }
        return house.replay(query.who(), request.build()).thenApply(ReplayJson::list);
    }

    private static ReplaySelection selection(ApiQuery query) {
        ReplaySelection.Builder selection = ReplaySelection.newBuilder()
                .setTopic(query.needed("topic"))
                .setFrom(query.position("from"))
                .setTo(query.position("to"))
                .setFilter(query.text("filter"))
                .setDeadLetterCause(query.text("cause"))
                .setUnackedBy(query.text("unacked_by"))
                .setSamplePm(query.count("sample_pm", 0, MAX_PER_MILLE));
        for (String partition : query.list("partitions")) {
            if (!partition.matches("\\d{1,9}")) {
                throw ApiQuery.invalid("partitions has " + partition, "it must be numbers with commas between");
            }
            selection.addPartitions(Integer.parseInt(partition));
        }
        if (!query.text("key").isEmpty()) {
            selection.addKeys(ByteString.copyFrom(query.text("key"), StandardCharsets.UTF_8));
        }
        return selection.build();
    }
}
