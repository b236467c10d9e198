package io.spillway.broker.session;

import io.spillway.broker.auth.Identity;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicNames;
import io.spillway.broker.replay.ReplayCaller;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.ReplayTarget;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * What the client of one session may do. Asking is thread-safe; what is held on channels is confined to the connection's event loop.
 */
final class Gate implements ReplayCaller {
    private static final int TO_GROUP = 1;
    private static final int TO_NEW_GROUP = 2;
    private static final int TO_TOPIC = 3;
    private static final int TO_ORIGIN = 4;

    private final Supplier<Security> security;
    private final Supplier<String> remote;
    private final Supplier<String> who;
    private final Published<Identity> identity = new Published<>(Identity.NOBODY);
    private final Map<Integer, Set<Right>> held = new HashMap<>();

    /** What somebody needs. */
    private record Right(Operation operation, Resource resource, String name) {}

    /**
     * @param remote address of the client
     * @param who the client, for the audit
     */
    Gate(Supplier<Security> security, Supplier<String> remote, Supplier<String> who) {
        this.security = security;
        this.remote = remote;
        this.who = who;
    }

    void identity(Identity proved) {
        identity.set(proved);
    }

    Identity identity() {
        return identity.get();
    }

    boolean allows(Operation operation, Resource resource, String name) {
        return security.get().allows(identity.get(), operation, resource, name);
    }

    void require(Operation operation, Resource resource, String name) {
        security.get().require(identity.get(), remote.get(), operation, resource, name);
    }

    /** The same for what is opened on a channel and goes on only as long as it is allowed. */
    void requireOn(int channel, Operation operation, Resource resource, String name) {
        require(operation, resource, name);
        held.computeIfAbsent(channel, unused -> new HashSet<>()).add(new Right(operation, resource, name));
    }

    void release(int channel) {
        held.remove(channel);
    }

    /** What does not hold any more of what was proved or allowed; empty when all holds. */
    String lost(IntPredicate isOpen) {
        Identity now = identity.get();
        String ended = security.get().authenticator().ended(now);
        if (!ended.isEmpty()) {
            return ended;
        }
        held.keySet().removeIf(channel -> !isOpen.test(channel));
        for (Set<Right> rights : held.values()) {
            for (Right right : rights) {
                if (!allows(right.operation, right.resource, right.name)) {
                    return "it may not " + right.operation.text() + " " + right.resource.text() + " " + right.name
                            + " any more";
                }
            }
        }
        return "";
    }

    // ---- producers

    /** The id for a producer that has none. */
    long newProducer(RandomGenerator random) {
        Identity now = identity.get();
        return now.isKnown() ? ProducerIds.of(now.name(), random.nextLong()) : ProducerIds.ofAnybody(random);
    }

    /** Whether the client may go on as this producer: nobody's, or its own. */
    boolean owns(long producerId) {
        return !security.get().settings().rulesApply()
                || ProducerIds.mayUse(identity.get().isKnown() ? identity.get().name() : "", producerId);
    }

    void requireOwn(long producerId, String topic) {
        if (!owns(producerId)) {
            security.get().deny(who(), "producer", topic, "", notOwn(topic));
        }
    }

    static SpillwayException notOwn(String topic) {
        return new SpillwayException(
                Code.PERMISSION_DENIED,
                "the producer of topic " + topic + " cannot be opened",
                "it belongs to another principal",
                "leave the producer id out, or take another name");
    }

    // ---- replays

    @Override
    public String who() {
        return who.get();
    }

    @Override
    public boolean mayReplay(String topic) {
        return allows(Operation.REPLAY, Resource.TOPIC, topic);
    }

    @Override
    public void requireReplay(String topic) {
        require(Operation.REPLAY, Resource.TOPIC, topic);
    }

    @Override
    public void requireTarget(String topic, ReplayTarget target) {
        switch (target.getKind()) {
            case TO_GROUP, TO_NEW_GROUP -> require(Operation.REPLAY, Resource.GROUP, target.getName());
            case TO_TOPIC -> require(Operation.WRITE, Resource.TOPIC, target.getName());
            case TO_ORIGIN -> require(Operation.WRITE, Resource.TOPIC, origin(topic));
            default -> require(Operation.READ, Resource.TOPIC, topic);
        }
    }

    private static String origin(String topic) {
        return topic.endsWith(TopicNames.DEAD_LETTER_SUFFIX)
                ? topic.substring(0, topic.length() - TopicNames.DEAD_LETTER_SUFFIX.length())
                : topic;
    }
}
