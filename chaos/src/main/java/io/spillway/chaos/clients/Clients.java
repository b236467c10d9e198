package io.spillway.chaos.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.chaos.cluster.Cluster;
import io.spillway.chaos.history.History;
import io.spillway.chaos.network.Network;
import io.spillway.conformance.driver.Language;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** All clients of a round: in each language one that writes and one member of each group. */
public final class Clients implements AutoCloseable {
    private static final String TOPIC = "orders";
    private static final int PARTITIONS = 4;
    private static final int SETUP_MS = 60_000;

    private final List<Client> clients = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();
    private final List<Reader> readers = new ArrayList<>();
    private final List<Thread> writerThreads = new ArrayList<>();
    private final List<Thread> readerThreads = new ArrayList<>();
    private final Progress progress = new Progress();
    private final History history;

    public Clients(List<Language> languages, Network network, Path logs, History history) {
        this.history = history;
        languages.forEach(language -> clients.add(Client.start(language, network.prefix(Network.CLIENTS), logs)));
    }

    /** Connects, makes the topic, and lets all of them go. Throws when the cluster does not take it. */
    public void start(List<String> endpoints, SplittableRandom random) {
        for (Client client : clients) {
            ObjectNode open = Client.request("client.open").put("client", Client.NAME);
            endpoints.forEach(open.putArray("endpoints")::add);
            open.put("client_name", "chaos-" + client.language())
                    .put("wait_for_broker_ms", SETUP_MS)
                    .put("request_timeout_ms", 5_000)
                    .put("heartbeat_ms", 1_000);
            if (!Cluster.await(SETUP_MS, () -> client.succeeds(open, history))) {
                throw new IllegalStateException("the " + client.language() + " client does not connect");
            }
        }
        ObjectNode create = Client.request("topic.create")
                .put("client", Client.NAME)
                .put("topic", TOPIC)
                .put("partitions", PARTITIONS);
        if (!Cluster.await(SETUP_MS, () -> clients.get(0).succeeds(create, history))) {
            throw new IllegalStateException("the topic cannot be made");
        }
        Groups.ALL.forEach(group -> progress.expect("group " + group.name()));
        for (Client client : clients) {
            Writer writer = new Writer(client, TOPIC, history, progress, random.split());
            writers.add(writer);
            writerThreads.add(thread(client.language() + "-writer", writer));
            for (Groups.Group group : Groups.ALL) {
                Reader reader = new Reader(client, TOPIC, group, history, progress, random.split());
                readers.add(reader);
                readerThreads.add(thread(client.language() + "-" + group.name(), reader));
            }
        }
    }

    private static Thread thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    public Progress progress() {
        return progress;
    }

    /** Nothing new is written; whether all that was begun is acked in time. */
    public boolean finishWriting(long limitMs) {
        writers.forEach(Writer::stop);
        return join(writerThreads, limitMs);
    }

    private static boolean join(List<Thread> threads, long limitMs) {
        return Cluster.await(limitMs, () -> threads.stream().noneMatch(Thread::isAlive));
    }

    /** Whether the groups have settled all there is, in time. */
    public boolean finishReading(long limitMs) {
        return Cluster.await(limitMs, () -> Groups.ALL.stream().allMatch(this::isSettled));
    }

    private boolean isSettled(Groups.Group group) {
        JsonNode answer = clients.get(0)
                .call(Client.request("group.describe")
                        .put("client", Client.NAME)
                        .put("topic", TOPIC)
                        .put("group", group.name()));
        if (answer.has("error")) {
            return false;
        }
        for (JsonNode partition : answer.path("ok").path("partitions")) {
            if (partition.path("cursor").asLong()
                    != partition.path("end_offset").asLong()) {
                return false;
            }
        }
        return true;
    }

    /** Ends the readers. */
    public void stopReading() {
        readers.forEach(Reader::stop);
        join(readerThreads, 20_000);
    }

    @Override
    public void close() {
        clients.forEach(Client::close);
        writerThreads.forEach(Thread::interrupt);
        readerThreads.forEach(Thread::interrupt);
    }
}
