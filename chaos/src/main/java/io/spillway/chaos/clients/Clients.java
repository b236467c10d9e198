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
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** All clients of a run, what they write and which groups they are members of. Confined to the run's thread. */
public final class Clients implements AutoCloseable {
    public static final String TOPIC = "orders";
    private static final int PARTITIONS = 4;
    private static final int SETUP_MS = 60_000;

    private final List<Client> clients = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();
    private final List<Reader> readers = new ArrayList<>();
    private final List<Stream> streams = new ArrayList<>();
    private final List<Groups.Group> groups = new ArrayList<>();
    private final List<Thread> writerThreads = new ArrayList<>();
    private final List<Thread> readerThreads = new ArrayList<>();
    private final Progress progress = new Progress();
    private final Network network;
    private final List<String> endpoints;
    private final Path logs;
    private final History history;

    /** @param endpoints of the brokers */
    public Clients(Network network, List<String> endpoints, Path logs, History history) {
        this.network = network;
        this.endpoints = endpoints;
        this.logs = logs;
        this.history = history;
    }

    /** In each language one that writes and is a member of each group. Throws when the cluster does not take it. */
    public void startAll(List<Language> languages, SplittableRandom random) {
        languages.forEach(language -> connect(language.name(), language, Map.of()));
        create(TOPIC, Map.of());
        for (Client client : List.copyOf(clients)) {
            write(client, Writer.Pace.CALM, random.split());
            for (Groups.Group group : Groups.ALL) {
                read(client, group, Reader.Habits.byChance(random.split()));
            }
        }
    }

    /**
     * A client in a process of its own, at the host of its name if there is one.
     *
     * @param terms what is not as usual, by the names of client.open
     */
    public Client connect(String name, Language language, Map<String, Object> terms) {
        String host = network.clientHosts().contains(name) ? name : Network.CLIENTS;
        Client client = Client.start(name, language, network.prefix(host), logs);
        clients.add(client);
        network.started(host, client.pid());
        ObjectNode open = Client.request("client.open").put("client", Client.NAME);
        endpoints.forEach(open.putArray("endpoints")::add);
        open.put("client_name", "chaos-" + name)
                .put("wait_for_broker_ms", SETUP_MS)
                .put("request_timeout_ms", 5_000)
                .put("heartbeat_ms", 1_000);
        terms.forEach(open::putPOJO);
        if (!Cluster.await(SETUP_MS, () -> client.succeeds(open, history))) {
            throw new IllegalStateException("the client " + name + " does not connect");
        }
        return client;
    }

    public void create(String topic, Map<String, String> config) {
        ObjectNode create = Client.request("topic.create")
                .put("client", Client.NAME)
                .put("topic", topic)
                .put("partitions", PARTITIONS);
        config.forEach(create.putObject("config")::put);
        if (!Cluster.await(SETUP_MS, () -> clients.get(0).succeeds(create, history))) {
            throw new IllegalStateException("the topic " + topic + " cannot be made");
        }
    }

    public Writer write(Client client, Writer.Pace pace, RandomGenerator random) {
        Writer writer = new Writer(client, pace, TOPIC, history, progress, random);
        writers.add(writer);
        writerThreads.add(thread(client.name() + "-writer", writer));
        return writer;
    }

    public Reader read(Client client, Groups.Group group, Reader.Habits habits) {
        return read(client, group, habits, Reader.Role.MEMBER);
    }

    public Reader read(Client client, Groups.Group group, Reader.Habits habits, Reader.Role role) {
        if (!groups.contains(group)) {
            groups.add(group);
            progress.expect("group " + group.name());
        }
        Reader reader = new Reader(client, habits, TOPIC, new Reader.Membership(group, role), history, progress);
        readers.add(reader);
        readerThreads.add(thread(client.name() + "-" + group.name(), reader));
        return reader;
    }

    /** A reader without a group, at the node that is nearest to the client. */
    public Stream readNearest(Client client) {
        Stream stream = new Stream(client, client.name() + "-nearest", TOPIC, history);
        streams.add(stream);
        readerThreads.add(thread(stream.name(), stream));
        return stream;
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

    public List<Client> all() {
        return List.copyOf(clients);
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
        return Cluster.await(limitMs, () -> groups.stream().allMatch(this::isSettled))
                && (streams.isEmpty() || Cluster.await(limitMs, this::areStreamsAtTheEnd));
    }

    private boolean areStreamsAtTheEnd() {
        long records = stored(TOPIC);
        return records >= 0 && streams.stream().allMatch(stream -> stream.read() >= records);
    }

    /** Records of a topic, as the broker says; -1 when it does not. */
    public long stored(String topic) {
        JsonNode answer = clients.get(0)
                .call(Client.request("topic.describe")
                        .put("client", Client.NAME)
                        .put("topic", topic));
        if (answer.has("error")) {
            return -1;
        }
        long records = 0;
        for (JsonNode partition : answer.path("ok").path("partitions")) {
            records += partition.path("end_offset").asLong()
                    - partition.path("start_offset").asLong();
        }
        return records;
    }

    private boolean isSettled(Groups.Group group) {
        JsonNode answer = describe(group);
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

    /** What the broker says of a group: an object with {@code ok} or {@code error}. */
    public JsonNode describe(Groups.Group group) {
        return clients.get(0)
                .call(Client.request("group.describe")
                        .put("client", Client.NAME)
                        .put("topic", TOPIC)
                        .put("group", group.name()));
    }

    /** What the brokers say of the members of groups. */
    public Members members() {
        return new Members(endpoints, TOPIC);
    }

    /** The groups that were read, and the readers without one. */
    public List<String> groups() {
        List<String> names = new ArrayList<>();
        groups.forEach(group -> names.add(group.name()));
        streams.forEach(stream -> names.add(stream.name()));
        return names;
    }

    /** Ends the readers. */
    public void stopReading() {
        readers.forEach(Reader::stop);
        streams.forEach(Stream::stop);
        join(readerThreads, 20_000);
    }

    @Override
    public void close() {
        clients.forEach(Client::close);
        writerThreads.forEach(Thread::interrupt);
        readerThreads.forEach(Thread::interrupt);
    }
}
