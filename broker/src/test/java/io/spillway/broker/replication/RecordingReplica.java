package io.spillway.broker.replication;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A replica whose files are a list. Thread-safe. */
final class RecordingReplica implements Replica {
    /** Asks for the whole list. */
    private static final String ALL = "all";

    record Entry(RaftPoint point, String text) {}

    private final List<Entry> entries = new ArrayList<>();
    private RaftPoint durable = RaftPoint.NONE;
    private long leadingTerm = -1;
    private @Nullable Peer leader;
    private @Nullable String stopped;
    private int installs;
    private int failingInstalls;
    private @Nullable RaftNode node;
    private @Nullable CompletableFuture<Void> holding;
    private int handed;
    private boolean failsSyncs;
    private Runnable onSync = () -> {};
    private boolean isCut;

    synchronized void attach(RaftNode newNode) {
        node = newNode;
    }

    /** From now on the log cannot be synced. */
    synchronized void failSyncs() {
        failsSyncs = true;
    }

    /** Done before each sync of the log, by the thread that syncs. */
    synchronized void onSync(Runnable act) {
        onSync = act;
    }

    @Override
    public void beforeSync() throws IOException {
        Runnable act;
        synchronized (this) {
            if (failsSyncs) {
                throw new IOException("the disk is broken");
            }
            act = onSync;
        }
        act.run();
    }

    /** Whether it hears no other node from now on. */
    synchronized void cut(boolean isFromNowOn) {
        isCut = isFromNowOn;
    }

    @Override
    public synchronized boolean isCutFrom(String other) {
        return isCut;
    }

    @Override
    public synchronized CompletableFuture<?> apply(long term, long index, ByteBuffer entry) {
        RaftPoint last = last();
        if (index <= last.index()) {
            throw new IllegalStateException("entry " + index + " after " + last);
        }
        entries.add(new Entry(
                new RaftPoint(term, index), StandardCharsets.UTF_8.decode(entry).toString()));
        handed++;
        return holding == null ? CompletableFuture.completedFuture(null) : holding;
    }

    private RaftPoint last() {
        return entries.isEmpty()
                ? RaftPoint.NONE
                : entries.get(entries.size() - 1).point();
    }

    @Override
    public CompletableFuture<Void> perform(Deed deed, Supplier<CompletableFuture<Void>> act) {
        return act.get();
    }

    @Override
    public synchronized void leading(long term) {
        leadingTerm = term;
        leader = null;
    }

    @Override
    public synchronized void following(long term, @Nullable Peer newLeader) {
        leadingTerm = -1;
        leader = newLeader;
    }

    @Override
    public synchronized RaftPoint durable() {
        return durable;
    }

    /** All that is applied is on the disk now. */
    synchronized RaftPoint sync() {
        durable = last();
        return durable;
    }

    /** Takes over what another one has. */
    synchronized void copy(RecordingReplica other) {
        entries.clear();
        entries.addAll(other.entries());
        sync();
    }

    /** What a restart finds: what was synced. */
    synchronized void crash() {
        entries.removeIf(entry -> durable.isBefore(entry.point()));
        leadingTerm = -1;
        handed = 0;
    }

    synchronized void failInstalls(int times) {
        failingInstalls = times;
    }

    @Override
    public CompletableFuture<RaftPoint> install(Peer from) {
        RaftNode asking;
        synchronized (this) {
            installs++;
            if (failingInstalls-- > 0) {
                return CompletableFuture.failedFuture(new IOException("the leader's files are busy"));
            }
            asking = Objects.requireNonNull(node);
        }
        return asking.ask(from, ByteBuffer.wrap(ALL.getBytes(StandardCharsets.UTF_8)))
                .thenApply(this::replace);
    }

    private synchronized RaftPoint replace(ByteBuffer all) {
        byte[] bytes = new byte[all.remaining()];
        all.get(bytes);
        entries.clear();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            while (in.available() > 0) {
                entries.add(new Entry(new RaftPoint(in.readLong(), in.readLong()), in.readUTF()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return sync();
    }

    @Override
    public synchronized CompletableFuture<ByteBuffer> answer(ByteBuffer question) {
        String text = StandardCharsets.UTF_8.decode(question).toString();
        if (!text.equals(ALL)) {
            return CompletableFuture.completedFuture(
                    ByteBuffer.wrap(("heard " + text).getBytes(StandardCharsets.UTF_8)));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            for (Entry entry : entries) {
                if (!durable.isBefore(entry.point())) {
                    out.writeLong(entry.point().term());
                    out.writeLong(entry.point().index());
                    out.writeUTF(entry.text());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return CompletableFuture.completedFuture(ByteBuffer.wrap(bytes.toByteArray()));
    }

    @Override
    public synchronized void stopped(String why, String next, @Nullable Throwable cause) {
        stopped = why;
    }

    /** From now on entries are taken up and not applied, until released. */
    synchronized void hold() {
        holding = new CompletableFuture<>();
    }

    synchronized void release() {
        CompletableFuture<Void> held = holding;
        holding = null;
        if (held != null) {
            held.complete(null);
        }
    }

    synchronized List<String> texts() {
        return entries.stream().map(Entry::text).toList();
    }

    synchronized List<Entry> entries() {
        return List.copyOf(entries);
    }

    synchronized boolean isLeading() {
        return leadingTerm >= 0;
    }

    synchronized long leadingTerm() {
        return leadingTerm;
    }

    synchronized @Nullable Peer leader() {
        return leader;
    }

    synchronized @Nullable String stopped() {
        return stopped;
    }

    synchronized int installs() {
        return installs;
    }

    /** Entries handed over since the start. */
    synchronized int handed() {
        return handed;
    }
}
