package io.spillway.broker.link;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Inbox;
import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.link.LinkView.State;
import io.spillway.broker.records.LinkKept;
import io.spillway.broker.records.LinkPromoted;
import io.spillway.protocol.Code;
import io.spillway.protocol.ProtocolException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One link and its thread, {@code spillway-link-NAME}: connects, copies, promotes, and after a failure begins anew, later each
 * time. Thread-safe.
 */
final class LinkWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LinkWorker.class);
    private static final long FIRST_WAIT_MS = 100;
    private static final long MOST_WAIT_MS = 5_000;
    private static final long IDLE_MS = 5;
    private static final long DISCOVER_MS = 1_000;
    private static final long VIEW_MS = 100;
    private static final long CLOSE_MS = 4_000;
    private static final int REDIRECTS = 4;
    private static final int INSTANCE_BYTES = 16;

    /**
     * What workers of a broker share.
     *
     * @param isHere whether a client instance has a session at this broker
     * @param place where clients reach this cluster
     * @param access how they come in at their sources
     */
    record Surroundings(
            Target target,
            Clock clock,
            RandomGenerator random,
            Predicate<byte[]> isHere,
            Supplier<String> place,
            SourceAccess access) {}

    private final Surroundings around;
    private final Clock clock;
    private final Copying copying;
    private final Promotion promotion;
    private final byte[] instance = new byte[INSTANCE_BYTES];
    private final Inbox inbox = new Inbox();
    private final Published<Boolean> closing = new Published<>(false);
    private final Published<Optional<Source>> open = new Published<>(Optional.empty());
    private final Published<LinkView> view;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread thread;

    private LinkKept link;
    private String why = "";
    private long contactMs;
    private long waitMs = FIRST_WAIT_MS;
    private long nextDiscoverMs;
    private long nextViewMs;
    /** The source says that what it is to be told is too old. */
    private boolean refused;

    LinkWorker(LinkKept link, Surroundings around) {
        this.link = link;
        this.around = around;
        clock = around.clock();
        copying = new Copying(link, around.target(), clock);
        promotion = new Promotion(around.target(), copying, clock, around.place());
        around.random().nextBytes(instance);
        view = new Published<>(new LinkView(link, State.CONNECTING, "", "", 0, 0, 0, List.of()));
        thread = new Thread(this::run, "spillway-link-" + link.getName());
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    LinkView view() {
        return view.get();
    }

    /** Decides on the promotion; answered once that is a record, before it is done. */
    CompletableFuture<LinkView> promote(boolean force) {
        if (ended.getCount() == 0) {
            return CompletableFuture.completedFuture(view.get());
        }
        CompletableFuture<LinkView> answer = new CompletableFuture<>();
        boolean taken = inbox.offer(() -> {
            try {
                decide(force);
                publish();
                answer.complete(view.get());
            } catch (SpillwayException e) {
                answer.completeExceptionally(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer.completeExceptionally(stopped());
            }
        });
        if (!taken || closing.get()) {
            answer.completeExceptionally(stopped());
        }
        return answer;
    }

    private static SpillwayException stopped() {
        return new SpillwayException(
                Code.NOT_READY, "the link is stopping here", "the broker goes away or another node leads", "ask again");
    }

    private void decide(boolean force) throws InterruptedException {
        if (link.getState() == Links.PROMOTED) {
            return;
        }
        if (force) {
            link = promotion.force(link);
        } else if (link.getState() == Links.COPYING) {
            link = promotion.begin(link);
        }
        why = "";
        waitMs = FIRST_WAIT_MS;
    }

    private void run() {
        try {
            copying.recall();
            recallPromoted();
            while (!closing.get() && !isDone()) {
                attempt();
                if (!closing.get() && !isDone()) {
                    publish();
                    inbox.run(waitMs / 2 + around.random().nextLong(waitMs));
                    waitMs = Math.min(MOST_WAIT_MS, waitMs * 2);
                }
            }
            publish();
        } catch (InterruptedException e) {
            LOG.debug("event=link_stopped link={}", link.getName());
        } catch (RuntimeException | Error e) {
            why = e.toString();
            LOG.error(
                    "event=link_failed link={} next=\"restart the broker; the link goes on where the copy ends\"",
                    link.getName(),
                    e);
            publish();
        } finally {
            ended.countDown();
        }
    }

    /** The topics of a link that was promoted are nobody's copies any more. */
    private void recallPromoted() throws InterruptedException {
        for (LinkPromoted topic : link.getPromotedList()) {
            copying.recall(topic.getTopic());
        }
    }

    private boolean isDone() {
        return link.getState() == Links.PROMOTED && (link.getFenced() || refused);
    }

    /** Connects and works until something fails. */
    private void attempt() throws InterruptedException {
        try (Source source = connect()) {
            open.set(Optional.of(source));
            LOG.info("event=link_connected link={} source={}", link.getName(), source.address());
            while (!closing.get() && !isDone()) {
                inbox.run(step(source) ? 0 : IDLE_MS);
            }
        } catch (IOException e) {
            failed(new SpillwayException(
                            Code.CONNECTION_LOST,
                            "the source of link " + link.getName() + " is not reached",
                            e.getMessage() == null ? e.toString() : e.getMessage(),
                            "it is tried again; check the network and the source, "
                                    + String.join(",", link.getSourcesList()))
                    .toString());
        } catch (ProtocolException e) {
            failed("MALFORMED_FRAME: the source of link " + link.getName() + " is not understood; cause: "
                    + e.getMessage() + "; next: check that a broker of this version listens there");
        } catch (SpillwayException e) {
            failed(e.toString());
            // An operator, or another link, has decided later: there is nothing more to tell.
            refused = link.getState() == Links.PROMOTED && e.code() == Code.WRONG_STATE;
        } catch (RuntimeException e) {
            LOG.error("event=link_step_failed link={} next=\"none; it is tried again\"", link.getName(), e);
            failed("INTERNAL: a step of link " + link.getName() + " failed; cause: " + e
                    + "; next: look at the broker's log; it is tried again");
        } finally {
            open.set(Optional.empty());
        }
    }

    private void failed(String reason) {
        if (!closing.get() && !reason.equals(why)) {
            LOG.warn(
                    "event=link_waits link={} why=\"{}\" next=\"spillway link status {}\"",
                    link.getName(),
                    reason,
                    link.getName());
        }
        why = reason;
    }

    /** One step; whether there may be more to do at once. */
    private boolean step(Source source) throws IOException, InterruptedException {
        boolean moved = false;
        if (link.getState() == Links.PROMOTED) {
            link = promotion.tellOld(link, source);
        } else if (link.getState() == Links.PROMOTING) {
            link = promotion.finish(link, source);
        } else {
            long nowMs = clock.nowMs();
            if (nowMs >= nextDiscoverMs) {
                copying.discover(source);
                nextDiscoverMs = nowMs + DISCOVER_MS;
            }
            moved = copying.fetch(source);
            copying.copyGroups(source);
        }
        contactMs = clock.nowMs();
        why = "";
        waitMs = FIRST_WAIT_MS;
        if (contactMs >= nextViewMs) {
            nextViewMs = contactMs + VIEW_MS;
            publish();
        }
        return moved;
    }

    /** The first of the sources that opens a session, or the leader it names. */
    private Source connect() throws IOException {
        ArrayDeque<ListenAddress> left = new ArrayDeque<>();
        link.getSourcesList().forEach(text -> left.add(ListenAddress.parse(text).orElseThrow()));
        List<String> failures = new ArrayList<>();
        int redirects = 0;
        while (!left.isEmpty()) {
            ListenAddress address = left.poll();
            try {
                Source source = Source.open(address, link.getName(), instance, clock.nowMs(), around.access());
                if (around.isHere().test(instance)) {
                    source.close();
                    throw new SpillwayException(
                            Code.INVALID_ARGUMENT,
                            "link " + link.getName() + " leads to where it begins",
                            address + " is this cluster itself",
                            "delete it: spillway link delete " + link.getName());
                }
                return source;
            } catch (Source.ElsewhereException e) {
                if (redirects++ < REDIRECTS) {
                    left.addFirst(e.leader());
                } else {
                    failures.add(address + ": " + e.getMessage() + ", which sends on");
                }
            } catch (IOException e) {
                failures.add(address + ": " + (e.getMessage() == null ? e.toString() : e.getMessage()));
            } catch (SpillwayException e) {
                if (e.code() == Code.INVALID_ARGUMENT) {
                    throw e;
                }
                failures.add(address + ": " + e.what());
            }
        }
        throw new IOException(String.join("; ", failures));
    }

    private void publish() {
        Optional<Source> source = open.get();
        view.set(new LinkView(
                link,
                state(source.isPresent()),
                why,
                source.map(each -> each.address().toString()).orElse(""),
                contactMs,
                copying.bytes(),
                copying.records(),
                copying.view()));
    }

    private State state(boolean connected) {
        return switch (link.getState()) {
            case Links.PROMOTED -> link.getFenced() || refused ? State.PROMOTED : State.FENCING;
            case Links.PROMOTING -> State.PROMOTING;
            default -> connected ? State.COPYING : State.CONNECTING;
        };
    }

    /** Lets it end, soon. */
    void stop() {
        closing.set(true);
        open.get().ifPresent(Source::close);
        thread.interrupt();
    }

    @Override
    public void close() {
        stop();
        try {
            if (!ended.await(CLOSE_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "event=link_not_stopped link={} why=\"it did not end in {} ms\" next=\"none\"",
                        link.getName(),
                        CLOSE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
