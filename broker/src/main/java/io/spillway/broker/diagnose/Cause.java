package io.spillway.broker.diagnose;

import static io.spillway.broker.diagnose.Severity.CRITICAL;
import static io.spillway.broker.diagnose.Severity.OK;
import static io.spillway.broker.diagnose.Severity.UNKNOWN;
import static io.spillway.broker.diagnose.Severity.WARNING;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Why something is not delivered, not accepted, or not as it should be; and the names of what is well. The list is closed:
 * each state has exactly one. Names are for ever, they are labels of metrics and names of runbook pages.
 */
public enum Cause {
    WELL(Area.WELL, OK, "nothing is wrong"),
    ACCEPTING(Area.WELL, OK, "publishes are accepted"),
    DELIVERING(Area.WELL, OK, "records are being delivered"),
    CAUGHT_UP(Area.WELL, OK, "everything there is has been settled"),
    IN_FLIGHT(Area.WELL, OK, "what is left is with consumers, which have not settled it yet"),
    SCHEDULED(Area.WELL, OK, "what is left is to be delivered later"),
    STANDS_BY(Area.WELL, OK, "the consumer stands by for others"),

    // A group with records that nobody gets.
    NO_MEMBERS(Area.DELIVERY, WARNING, "records wait, and the group has no consumers"),
    NO_CREDIT(Area.DELIVERY, WARNING, "records wait, and the consumers have not asked for more"),
    MEMBERS_FULL(Area.DELIVERY, WARNING, "records wait, and the consumers hold as many unsettled ones as they may"),
    MEMBERS_PAUSED(Area.DELIVERY, WARNING, "records wait, and the consumers have paused themselves"),
    CONNECTION_FULL(Area.DELIVERY, WARNING, "records wait, and the consumers do not read what was sent to them"),
    ALL_UNHEALTHY(Area.DELIVERY, CRITICAL, "records wait, and all consumers say that they are not well, or fail"),
    HANDING_OVER(
            Area.DELIVERY,
            OK,
            "the turn goes from one consumer to another, and what the first holds has to end before"),
    GROUP_FULL(Area.DELIVERY, WARNING, "records wait, and the group holds as many unsettled ones as it may"),
    RATE_USED_UP(Area.DELIVERY, OK, "records wait for the rate that the group was given"),
    WINDOW_FULL(Area.DELIVERY, WARNING, "too many records are unsettled for fresh ones to be begun"),
    KEY_BLOCKED(Area.DELIVERY, WARNING, "records wait for one before them that has the same key"),
    IN_BACKOFF(Area.DELIVERY, WARNING, "what is left has failed, and waits for its next attempt"),
    DLQ_HELD(Area.DELIVERY, CRITICAL, "dead letters cannot be stored, and what they belong to waits"),
    DLQ_BREAKER(Area.DELIVERY, CRITICAL, "the group has stopped, because too many of its records became dead letters"),
    GROUP_PAUSED(Area.DELIVERY, WARNING, "the group was paused"),
    DISPATCH_PAUSED(Area.DELIVERY, WARNING, "delivery from the topic was paused"),
    REPLAY_HOLD(Area.DELIVERY, WARNING, "replays stand still while the broker is under pressure"),
    NOT_DURABLE(Area.DELIVERY, CRITICAL, "records are written, and not durable yet, so that nobody may see them"),
    UNREADABLE(Area.DELIVERY, CRITICAL, "the next records cannot be read from the disk"),
    STALLED(Area.DELIVERY, CRITICAL, "records and consumers are ready, and nothing is delivered"),

    // A topic that does not take publishes, or not all.
    PUBLISH_PAUSED(Area.TOPICS, WARNING, "publishing to the topic was paused"),
    LINKED(Area.TOPICS, OK, "the topic is only read here, because a link fills it or took it elsewhere"),
    QUEUE_FULL(Area.TOPICS, CRITICAL, "the topic has reached a bound of its backlog"),
    QUOTA(Area.PRESSURE, WARNING, "publishers have used up their quota"),
    OVERLOADED(Area.PRESSURE, WARNING, "the broker is under pressure, and publishers are slowed down"),
    SHED_BY_TOGGLE(Area.PRESSURE, WARNING, "an operator lets publishes of some classes be refused"),

    // A node that does not do its part.
    READ_ONLY(Area.STORAGE, CRITICAL, "the disk is too full for more to be published"),
    RESERVE(Area.STORAGE, CRITICAL, "the disk is so full that what is delivered could not be settled"),
    STORAGE_FAILED(Area.STORAGE, CRITICAL, "writing to the disk has failed, and nothing is accepted any more"),
    SHARD_FAILED(Area.PROCESS, CRITICAL, "a shard has stopped"),
    SHARD_SILENT(Area.PROCESS, CRITICAL, "a shard does not answer"),
    DRAINING(Area.PROCESS, WARNING, "the broker is going away"),
    NOT_LEADER(Area.CLUSTER, UNKNOWN, "another node does this work"),
    NO_LEADER(Area.CLUSTER, CRITICAL, "no leader of the cluster is known here"),
    NO_QUORUM(Area.CLUSTER, CRITICAL, "the cluster agrees on nothing"),
    RETURNING(Area.CLUSTER, WARNING, "this node takes no part in the cluster yet"),
    LEFT_CLUSTER(Area.CLUSTER, CRITICAL, "this node takes no part in the cluster any more"),
    NODE_BEHIND(Area.CLUSTER, CRITICAL, "this node does not take up what the cluster agrees on"),
    QUARANTINE(Area.STORAGE, WARNING, "damaged files were put aside, and wait for somebody to look at them"),
    TOGGLE_EXPIRED(Area.SETTINGS, WARNING, "a toggle should be gone by now, and holds all the same"),
    CHAOS(Area.SETTINGS, WARNING, "a fault was injected for a rehearsal"),
    CANARY_STALE(Area.PROCESS, CRITICAL, "what the broker publishes to itself does not come back"),

    // A cluster in which not all is well.
    QUORUM_CRITICAL(Area.CLUSTER, WARNING, "the loss of one more voter stops the cluster"),
    NODE_AWAY(Area.CLUSTER, WARNING, "a node of the cluster is out of reach"),
    REPLICA_SLOW(Area.CLUSTER, WARNING, "a node of the cluster lacks much, or has for long"),
    LINK_TROUBLE(Area.LINKS, WARNING, "a link does not copy all it should");

    private static final String PAGES = "docs/operations/runbooks/";

    private final Area area;
    private final Severity severity;
    private final String what;

    Cause(Area area, Severity severity, String what) {
        this.area = area;
        this.severity = severity;
        this.what = what;
    }

    /** What part of a broker's work has to do with it. */
    public Area area() {
        return area;
    }

    public Severity severity() {
        return severity;
    }

    public boolean isWrong() {
        return severity != OK;
    }

    /** The state in words. */
    public String what() {
        return what;
    }

    /** The page that tells of it; empty when everything goes on. */
    public String runbook() {
        return area != Area.WELL ? PAGES + name().toLowerCase(Locale.ROOT).replace('_', '-') + ".md" : "";
    }

    /** For which something is not delivered although it is there; labels of a metric. */
    public static List<Cause> ofDispatch() {
        return Arrays.stream(values())
                .filter(each -> each.area == Area.DELIVERY || each == CHAOS)
                .toList();
    }

    static List<Cause> of(Area area) {
        return Arrays.stream(values()).filter(each -> each.area == area).toList();
    }
}
