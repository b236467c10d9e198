package io.spillway.broker.session;

import static io.spillway.broker.auth.Operation.ALTER;
import static io.spillway.broker.auth.Operation.CREATE;
import static io.spillway.broker.auth.Operation.DELETE;
import static io.spillway.broker.auth.Operation.DESCRIBE;
import static io.spillway.broker.auth.Operation.READ;
import static io.spillway.broker.auth.Operation.WRITE;
import static io.spillway.broker.auth.Resource.GROUP;
import static io.spillway.broker.auth.Resource.TOPIC;

import io.spillway.broker.auth.Operation;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.GroupAdmin;
import io.spillway.protocol.v1.Link;
import io.spillway.protocol.v1.Metadata;
import io.spillway.protocol.v1.OpenPublisher;
import io.spillway.protocol.v1.Seek;
import io.spillway.protocol.v1.Subscribe;
import io.spillway.protocol.v1.TopicAdmin;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** Which right each request needs. What belongs to something that is open needs none of its own. */
final class Rights {
    private static final int TOPIC_CREATE = 1;
    private static final int TOPIC_DELETE = 3;
    private static final int TOPIC_PURGE = 4;
    private static final int GROUP_LIST = 1;
    private static final int GROUP_DESCRIBE = 2;
    private static final int GROUP_DELETE = 3;
    private static final int GROUP_CREATE = 4;
    private static final int GROUP_LIST_SNAPSHOTS = 10;
    private static final int LINK_FENCE = 3;
    private static final int LINK_LIFT = 4;

    private final Gate gate;
    private final Predicate<String> isThere;
    private final IntPredicate isInUse;

    /**
     * @param isThere whether there is a topic of that name
     * @param isInUse whether something is open on that channel
     */
    Rights(Gate gate, Predicate<String> isThere, IntPredicate isInUse) {
        this.gate = gate;
        this.isThere = isThere;
        this.isInUse = isInUse;
    }

    /** Throws PERMISSION_DENIED. */
    void check(FrameKind kind, Frame frame) {
        switch (kind) {
            case OPEN_PUBLISHER -> {
                OpenPublisher open = frame.header(OpenPublisher.parser());
                begin(frame.channel());
                gate.requireOn(frame.channel(), WRITE, TOPIC, open.getTopic());
                gate.requireOwn(open.getProducerId(), open.getTopic());
            }
            case SUBSCRIBE -> subscribe(frame.channel(), frame.header(Subscribe.parser()));
            case METADATA -> {
                Metadata request = frame.header(Metadata.parser());
                request.getTopicsList()
                        .forEach(name -> gate.require(isThere.test(name) ? DESCRIBE : CREATE, TOPIC, name));
            }
            case TOPIC_ADMIN -> {
                TopicAdmin request = frame.header(TopicAdmin.parser());
                gate.require(ofTopic(request.getOp()), TOPIC, request.getTopic());
            }
            case GROUP_ADMIN -> group(frame.header(GroupAdmin.parser()));
            case SEEK -> {
                Seek request = frame.header(Seek.parser());
                gate.require(DESCRIBE, TOPIC, request.getTopic());
                gate.require(request.getDryRun() ? DESCRIBE : ALTER, GROUP, request.getGroup());
            }
            case LINK -> link(frame.header(Link.parser()));
            default -> {} // replays are asked for by id: they are checked where their topic is known
        }
    }

    /** On a channel that is in use nothing can be opened: what is open there stays what counts. */
    private void begin(int channel) {
        if (!isInUse.test(channel)) {
            gate.release(channel);
        }
    }

    private void subscribe(int channel, Subscribe request) {
        begin(channel);
        gate.requireOn(channel, READ, TOPIC, request.getTopic());
        if (request.getMode() != FollowerReads.MODE_STREAM) {
            gate.requireOn(channel, READ, GROUP, request.getGroup());
        }
    }

    private static Operation ofTopic(int operation) {
        return switch (operation) {
            case TOPIC_CREATE -> CREATE;
            case TOPIC_DELETE, TOPIC_PURGE -> DELETE;
            default -> ALTER;
        };
    }

    private void group(GroupAdmin request) {
        if (!request.getTopic().isEmpty()) {
            gate.require(DESCRIBE, TOPIC, request.getTopic());
        }
        Operation needed = switch (request.getOp()) {
            case GROUP_LIST, GROUP_DESCRIBE, GROUP_LIST_SNAPSHOTS -> DESCRIBE;
            case GROUP_DELETE -> DELETE;
            case GROUP_CREATE -> CREATE;
            default -> ALTER;
        };
        if (request.getOp() != GROUP_LIST) {
            gate.require(needed, GROUP, request.getGroup());
        }
    }

    private void link(Link request) {
        if (request.getOp() == LINK_FENCE || request.getOp() == LINK_LIFT) {
            request.getTopicsList().forEach(topic -> gate.require(ALTER, TOPIC, topic));
        } else {
            gate.require(READ, TOPIC, request.getTopic());
        }
    }
}
