package io.spillway.broker.admin;

import io.spillway.broker.session.Census;
import io.spillway.broker.session.House;
import io.spillway.broker.session.HouseReading;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.PartitionInfo;
import io.spillway.protocol.v1.ReplayAdmin;
import io.spillway.protocol.v1.Start;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.ToDoubleFunction;

/** What the console shows. Every list has a bound. Confined to the admin thread. */
final class ApiReads {
    private static final int MAX_ROWS = 500;
    private static final int ROWS = 100;
    private static final int MAX_RECORDS = 200;
    private static final int RECORDS = 50;
    private static final int MAX_VALUE_BYTES = 1 << 20;
    private static final int VALUE_BYTES = 1_024;
    private static final int LIST_REPLAYS = 4;
    private static final int TIME = 4;
    private static final int OFFSET = 3;
    private static final Set<String> PAGE = Set.of("filter", "sort", "order", "from", "limit", "kind");

    private final ConsoleSource source;
    private final Samples samples;
    private final Census census;
    private final House house;
    private final Executor thread;

    /** A group and the topic it reads. */
    record Row(TopicFigures topic, GroupInfo group) {}

    ApiReads(ConsoleSource source, Samples samples, Census census, House house, Executor thread) {
        this.source = source;
        this.samples = samples;
        this.census = census;
        this.house = house;
        this.thread = thread;
    }

    Map<String, ApiRoutes.Call> all() {
        return Map.of(
                "overview", this::overview,
                "history", this::history,
                "topics", this::topics,
                "topic", this::topic,
                "groups", this::groups,
                "group", this::group,
                "records", this::records,
                "replays", this::replays);
    }

    private CompletableFuture<String> overview(ApiQuery query) {
        query.only(Set.of());
        return samples.fresh().thenApplyAsync(now -> ApiJson.overview(source, now), thread);
    }

    private CompletableFuture<String> history(ApiQuery query) {
        query.only(Set.of("topic"));
        String topic = query.text("topic");
        return CompletableFuture.completedFuture(
                topic.isEmpty() ? ApiJson.history(samples) : ApiJson.history(samples, topic));
    }

    private CompletableFuture<String> topics(ApiQuery query) {
        query.only(PAGE);
        String filter = query.text("filter").toLowerCase(Locale.ROOT);
        boolean onlyDead = query.text("kind").equals("dlq");
        Comparator<TopicFigures> order = ordered(
                query,
                topic -> topic.spec().name(),
                Map.of(
                        "published", TopicFigures::publishedRate,
                        "acked", TopicFigures::ackedRate,
                        "backlog", TopicFigures::backlog,
                        "in_flight", TopicFigures::inFlight,
                        "bytes", TopicFigures::bytes,
                        "records", TopicFigures::records,
                        "groups", TopicFigures::groups,
                        "members", TopicFigures::members,
                        "partitions", topic -> topic.spec().partitions()));
        return samples.fresh()
                .thenApplyAsync(
                        now -> {
                            List<TopicFigures> found = now.topics().stream()
                                    .filter(topic -> topic.spec()
                                            .name()
                                            .toLowerCase(Locale.ROOT)
                                            .contains(filter))
                                    .filter(topic -> !onlyDead || ApiJson.isDeadLetters(topic.spec()))
                                    .sorted(order)
                                    .toList();
                            return ApiJson.topics(now, page(query, found), found.size());
                        },
                        thread);
    }

    private CompletableFuture<String> groups(ApiQuery query) {
        query.only(PAGE);
        String filter = query.text("filter").toLowerCase(Locale.ROOT);
        Comparator<Row> order = ordered(
                query,
                row -> row.topic.spec().name() + "/" + row.group.getGroup(),
                Map.of(
                        "lag", row -> TopicFigures.backlog(row.group),
                        "in_flight", row -> TopicFigures.inFlight(row.group),
                        "members", row -> row.group.getMembers(),
                        "acked", row -> row.group.getAcked(),
                        "dead_lettered", row -> row.group.getDeadLettered()));
        return samples.fresh()
                .thenApplyAsync(
                        now -> {
                            List<Row> found = new ArrayList<>();
                            for (TopicFigures topic : now.topics()) {
                                topic.topic().groups().forEach(group -> found.add(new Row(topic, group)));
                            }
                            found.removeIf(row -> !(row.topic.spec().name() + "/" + row.group.getGroup())
                                    .toLowerCase(Locale.ROOT)
                                    .contains(filter));
                            found.sort(order);
                            return ApiJson.groups(now, page(query, found), found.size());
                        },
                        thread);
    }

    private static <T> List<T> page(ApiQuery query, List<T> all) {
        int from = Math.min(all.size(), query.count("from", 0, Integer.MAX_VALUE));
        int limit = query.count("limit", ROWS, MAX_ROWS);
        return all.subList(from, Math.min(all.size(), from + limit));
    }

    /** By the figure that is asked for, the largest first; by name otherwise. */
    private static <T> Comparator<T> ordered(
            ApiQuery query, java.util.function.Function<T, String> name, Map<String, ToDoubleFunction<T>> figures) {
        String sort = query.text("sort");
        Comparator<T> byName = Comparator.comparing(name);
        ToDoubleFunction<T> figure = figures.get(sort);
        if (figure == null && !sort.isEmpty() && !sort.equals("name")) {
            throw ApiQuery.invalid("sort is " + sort, "there are name and " + figures.keySet());
        }
        boolean isAscending = query.text("order").equals(figure == null ? "" : "asc")
                || (figure == null && query.text("order").equals("asc"));
        Comparator<T> order =
                figure == null ? byName : Comparator.<T>comparingDouble(figure).thenComparing(byName.reversed());
        return isAscending ? order : order.reversed();
    }

    private CompletableFuture<String> topic(ApiQuery query) {
        query.only(Set.of("name"));
        return census.topic(query.needed("name"))
                .thenApplyAsync(
                        found -> ApiJson.topic(found, samples.find(found.spec().name())), thread);
    }

    private CompletableFuture<String> group(ApiQuery query) {
        query.only(Set.of("topic", "group"));
        String group = query.needed("group");
        return census.topic(query.needed("topic")).thenApplyAsync(found -> ApiJson.group(found, group), thread);
    }

    private CompletableFuture<String> replays(ApiQuery query) {
        query.only(Set.of());
        return house.replay(
                        query.who(),
                        ReplayAdmin.newBuilder().setOp(LIST_REPLAYS).build())
                .thenApply(ReplayJson::list);
    }

    /** Bounded by records, by bytes of each, and by what a reader is sent at a time. */
    private CompletableFuture<String> records(ApiQuery query) {
        query.only(Set.of("topic", "partition", "offset", "time", "limit", "value_bytes"));
        String topic = query.needed("topic");
        int partition = query.count("partition", 0, Integer.MAX_VALUE);
        int limit = Math.max(1, query.count("limit", RECORDS, MAX_RECORDS));
        int valueBytes = query.count("value_bytes", VALUE_BYTES, limit == 1 ? MAX_VALUE_BYTES : VALUE_BYTES * 16);
        return census.topic(topic).thenCompose(found -> {
            PartitionInfo now =
                    partition < found.partitions().size() ? found.partitions().get(partition) : null;
            if (now == null) {
                throw ApiQuery.invalid(
                        "topic " + topic + " has no partition " + partition,
                        "it has " + found.spec().partitions());
            }
            Start start = start(query, now, limit);
            RecordJson.Page page = new RecordJson.Page(topic, now, start, valueBytes);
            if (start.getKind() == OFFSET && start.getOffset() >= now.getVisibleOffset()) {
                return CompletableFuture.completedFuture(RecordJson.records(page, List.of()));
            }
            return house.read(query.who(), new HouseReading(topic, partition, start, now.getVisibleOffset(), limit))
                    .thenApply(records -> RecordJson.records(page, records));
        });
    }

    /** Where to begin; without a wish so that the last records are shown. */
    private static Start start(ApiQuery query, PartitionInfo now, int limit) {
        long timeMs = query.number("time", -1, 0, Long.MAX_VALUE);
        if (timeMs >= 0) {
            return Start.newBuilder().setKind(TIME).setUnixMs(timeMs).build();
        }
        long end = now.getVisibleOffset();
        long offset = query.number("offset", end - limit, 0, Long.MAX_VALUE);
        return Start.newBuilder()
                .setKind(OFFSET)
                .setPartition(now.getPartition())
                .setOffset(Math.max(now.getStartOffset(), Math.min(offset, end)))
                .build();
    }
}
