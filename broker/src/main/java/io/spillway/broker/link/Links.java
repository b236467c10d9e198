package io.spillway.broker.link;

import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.shard.LinkCommand;
import io.spillway.protocol.Code;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links of a broker and their thread, {@code spillway-link}: asks shard 0 for those that are kept, runs each, and takes
 * what operators ask. Thread-safe.
 */
final class Links implements AutoCloseable {
    /** States of a link's record. */
    static final int COPYING = 0;

    static final int PROMOTING = 1;
    static final int PROMOTED = 2;

    private static final Logger LOG = LoggerFactory.getLogger(Links.class);
    private static final int MOST_LINKS = 16;
    private static final long IDLE_MS = 500;
    private static final long AGAIN_MS = 200;
    private static final long CLOSE_MS = 10_000;

    private final LinkWorker.Surroundings around;
    private final Consumer<List<String>> changed;
    private final Inbox inbox = new Inbox();
    private final Map<String, LinkWorker> workers = new LinkedHashMap<>();
    private final Published<List<LinkWorker>> published = new Published<>(List.of());
    private final Published<Boolean> closing = new Published<>(false);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "spillway-link");

    /** @param changed told the names of the links that are there now */
    Links(LinkWorker.Surroundings around, Consumer<List<String>> changed) {
        this.around = around;
        this.changed = changed;
    }

    void start() {
        thread.setDaemon(true);
        thread.start();
    }

    List<LinkView> view() {
        return published.get().stream().map(LinkWorker::view).toList();
    }

    private void run() {
        try {
            load();
            while (!closing.get()) {
                inbox.run(IDLE_MS);
            }
        } catch (InterruptedException e) {
            LOG.debug("event=links_stopped");
        } finally {
            workers.values().forEach(LinkWorker::stop);
            workers.values().forEach(LinkWorker::close);
            workers.clear();
            tell();
            ended.countDown();
        }
    }

    private void load() throws InterruptedException {
        while (!closing.get()) {
            try {
                List<LinkKept> kept = around.target().ask(LinkCommand.Load::new);
                kept.forEach(this::begin);
                return;
            } catch (SpillwayException e) {
                LOG.warn("event=links_not_loaded {}", e.toString());
                inbox.run(AGAIN_MS);
            }
        }
    }

    private void begin(LinkKept link) {
        LinkWorker worker = new LinkWorker(link, around);
        workers.put(link.getName(), worker);
        worker.start();
        tell();
    }

    private void tell() {
        published.set(List.copyOf(workers.values()));
        changed.accept(List.copyOf(workers.keySet()));
    }

    /** Does it on the links' thread. */
    private <T> CompletableFuture<T> perform(Callable<T> act) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        boolean taken = inbox.offer(() -> {
            try {
                answer.complete(act.call());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer.completeExceptionally(e);
            } catch (Exception e) {
                answer.completeExceptionally(e);
            }
        });
        if (!taken) {
            answer.completeExceptionally(new SpillwayException(
                    Code.OVERLOADED, "a request was refused before any work", "too many wait", "try again", 200, null));
        }
        return answer;
    }

    /** Creates a link; answered once it is kept. One of that name that is the same already is the answer. */
    CompletableFuture<LinkView> create(LinkKept wanted) {
        return perform(() -> {
            LinkWorker known = workers.get(wanted.getName());
            if (known != null && isSame(known.view().link(), wanted)) {
                return known.view();
            }
            check(wanted);
            LinkKept link =
                    wanted.toBuilder().setCreatedMs(around.clock().nowMs()).build();
            around.target().<Boolean>ask(reply -> new LinkCommand.Keep(link, reply));
            begin(link);
            LOG.info(
                    "event=link_created link={} from={} topics={}",
                    link.getName(),
                    link.getSourcesList(),
                    link.getTopicsList());
            return worker(link.getName()).view();
        });
    }

    private static boolean isSame(LinkKept known, LinkKept wanted) {
        return known.getSourcesList().equals(wanted.getSourcesList())
                && known.getTopicsList().equals(wanted.getTopicsList())
                && known.getBytesPerSecond() == wanted.getBytesPerSecond();
    }

    private void check(LinkKept wanted) {
        TopicNames.check("link", wanted.getName());
        Patterns.check(wanted.getTopicsList());
        if (wanted.getSourcesCount() == 0) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT, "a link without a source", "there is nothing to copy from", "give --from");
        }
        for (String source : wanted.getSourcesList()) {
            if (ListenAddress.parse(source).isEmpty()) {
                throw new SpillwayException(
                        Code.INVALID_ARGUMENT,
                        "the source " + source + " is no address",
                        "it has to be host:port",
                        "give the listen or advertise address of the source's nodes");
            }
        }
        LinkWorker other = rival(wanted);
        if (other != null) {
            LinkKept link = other.view().link();
            throw new SpillwayException(
                    Code.ALREADY_EXISTS,
                    "link " + wanted.getName() + " is not created",
                    "link " + link.getName() + " copies " + String.join(",", link.getTopicsList()) + " from "
                            + String.join(",", link.getSourcesList()),
                    "delete that one first, or choose another name and other topics");
        }
        if (workers.size() >= MOST_LINKS) {
            throw new SpillwayException(
                    Code.WRONG_STATE,
                    "link " + wanted.getName() + " is not created",
                    "there are " + MOST_LINKS + " links, the most there may be",
                    "delete one, or let one copy more topics");
        }
    }

    /** A link of that name, or one that copies the same topics. */
    private @Nullable LinkWorker rival(LinkKept wanted) {
        for (LinkWorker worker : workers.values()) {
            LinkKept link = worker.view().link();
            boolean copies =
                    link.getState() != PROMOTED && Patterns.overlap(link.getTopicsList(), wanted.getTopicsList());
            if (link.getName().equals(wanted.getName()) || copies) {
                return worker;
            }
        }
        return null;
    }

    private LinkWorker worker(String name) {
        LinkWorker worker = workers.get(name);
        if (worker == null) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "there is no link \"" + name + "\" here",
                    workers.isEmpty() ? "there is none" : "there are " + String.join(", ", workers.keySet()),
                    "a link is found at the cluster that copies: spillway link list");
        }
        return worker;
    }

    /** Decides on a promotion; answered once that is kept, before it is done. */
    CompletableFuture<LinkView> promote(String name, boolean force) {
        return perform(() -> worker(name)).thenCompose(worker -> worker.promote(force));
    }

    /** Ends a link; its topics stay as they are. */
    CompletableFuture<LinkView> delete(String name) {
        return perform(() -> {
            LinkWorker worker = worker(name);
            worker.close();
            around.target().<Boolean>ask(reply -> new LinkCommand.Drop(name, reply));
            workers.remove(name);
            tell();
            LOG.info("event=link_deleted link={}", name);
            return worker.view();
        });
    }

    /** Topics that were taken elsewhere are open here again. */
    CompletableFuture<List<String>> lift(List<String> topics) {
        return perform(() -> around.target().<List<String>>ask(reply -> new LinkCommand.Lift(topics, reply)));
    }

    @Override
    public void close() {
        closing.set(true);
        thread.interrupt();
        try {
            if (!ended.await(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.error("event=links_not_stopped why=\"they did not end in {} ms\" next=\"none\"", CLOSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
