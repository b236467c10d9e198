package io.spillway.broker.link;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.audit.AuditEntry;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * The links of a broker while it decides: always when it stands alone, in a cluster while it leads. They are records, so that
 * the next leader goes on with them. {@code start} and {@code close} belong to one thread; the rest is thread-safe.
 */
public final class LinkService implements AutoCloseable {
    private static final String WHO = "http";

    private final LinkWorker.Surroundings around;
    private final Audit audit;
    private final Published<Consumer<List<String>>> listener = new Published<>(names -> {});
    private final Published<Optional<Links>> running = new Published<>(Optional.empty());

    /**
     * @param shards the mailboxes of all shards
     * @param random thread-safe
     * @param isHere whether a client instance has a session at this broker
     * @param place where clients reach this cluster
     * @param access how links come in at their sources
     */
    public LinkService(
            List<Mailbox> shards,
            Published<TopicCatalog> catalog,
            Audit audit,
            Clock clock,
            RandomGenerator random,
            Predicate<byte[]> isHere,
            Supplier<String> place,
            SourceAccess access) {
        this.audit = audit;
        around = new LinkWorker.Surroundings(new Target(shards, catalog), clock, random, isHere, place, access);
    }

    /** Who is told the names of the links that run here, whenever they change. */
    public void onChange(Consumer<List<String>> told) {
        listener.set(told);
    }

    /** Takes up the links there are; nothing when they run already. */
    public void start() {
        if (running.get().isEmpty()) {
            Links links = new Links(around, names -> listener.get().accept(names));
            running.set(Optional.of(links));
            links.start();
        }
    }

    /** The links as of a moment ago; none while another node decides. */
    public List<LinkView> view() {
        return running.get().map(Links::view).orElse(List.of());
    }

    /** Whether this broker runs the links of its cluster. */
    public boolean runs() {
        return running.get().isPresent();
    }

    private <T> CompletableFuture<T> audited(
            String operation,
            List<String> topics,
            Map<String, String> detail,
            Function<Links, CompletableFuture<T>> act) {
        return with(links -> {
            CompletableFuture<T> answer = new CompletableFuture<>();
            Reply<T> reply = Reply.completing(answer);
            AuditEntry entry = new AuditEntry(WHO, operation, String.join(",", topics), "", "", detail);
            audit.around(entry, audited -> tell(act.apply(links), audited), reply, result -> "done");
            return answer;
        });
    }

    private static <T> void tell(CompletableFuture<T> done, Reply<T> reply) {
        done.whenComplete((result, failure) -> {
            Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                    ? wrapped.getCause()
                    : failure;
            if (cause == null) {
                reply.ok(result);
            } else if (cause instanceof SpillwayException why) {
                reply.failed(why);
            } else {
                reply.failed(new SpillwayException(
                        Code.INTERNAL,
                        "a request to the links failed",
                        cause.toString(),
                        "look at the broker's log",
                        0,
                        cause));
            }
        });
    }

    private <T> CompletableFuture<T> with(Function<Links, CompletableFuture<T>> act) {
        Links now = running.get().orElse(null);
        return now != null
                ? act.apply(now)
                : CompletableFuture.failedFuture(new SpillwayException(
                        Code.NOT_LEADER,
                        "this node runs no links",
                        "another node leads the cluster",
                        "ask the leader; spillway cluster status tells which that is"));
    }

    /** Creates a link; answered once it is kept. */
    public CompletableFuture<LinkView> create(
            String name, List<String> sources, List<String> topics, long bytesPerSecond) {
        LinkKept wanted = LinkKept.newBuilder()
                .setName(name)
                .addAllSources(sources)
                .addAllTopics(topics)
                .setBytesPerSecond(bytesPerSecond)
                .build();
        String from = String.join(",", sources);
        return audited("link.create", topics, Map.of("link", name, "from", from), links -> links.create(wanted));
    }

    /**
     * Decides that the copies of a link take over; answered once that is kept, before it is done.
     *
     * @param force without waiting for the source
     */
    public CompletableFuture<LinkView> promote(String name, boolean force) {
        return audited(
                "link.promote",
                List.of(),
                Map.of("link", name, "force", Boolean.toString(force)),
                links -> links.promote(name, force));
    }

    /** Ends a link; its topics stay as they are. */
    public CompletableFuture<LinkView> delete(String name) {
        return audited("link.delete", List.of(), Map.of("link", name), links -> links.delete(name));
    }

    /** Opens topics again that a link took elsewhere. */
    public CompletableFuture<List<String>> lift(List<String> topics) {
        return audited("link.lift", topics, Map.of(), links -> links.lift(topics));
    }

    /** Stops; links go on where they are started next. */
    @Override
    public void close() {
        Optional<Links> now = running.get();
        running.set(Optional.empty());
        now.ifPresent(Links::close);
    }
}
