package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.ClusterDecision;
import io.spillway.broker.diagnose.ClusterFacts;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.broker.diagnose.GroupDecision;
import io.spillway.broker.diagnose.GroupFacts;
import io.spillway.broker.diagnose.MemberFacts;
import io.spillway.broker.diagnose.NodeDecision;
import io.spillway.broker.diagnose.NodeFacts;
import io.spillway.broker.diagnose.Subject;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.diagnose.TopicDecision;
import io.spillway.broker.diagnose.TopicFacts;
import io.spillway.broker.link.LinkService;
import io.spillway.broker.link.LinkView;
import io.spillway.broker.replication.ClusterStatus;
import io.spillway.broker.replication.Peer;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.shard.Reply;
import io.spillway.broker.shard.ShardCommand;
import io.spillway.broker.shard.ShardCommand.Looked;
import io.spillway.protocol.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Asks those who know, and says what is with things, why, and what to do next. Thread-safe; nothing here waits. */
final class Diagnoses {
    /** Groups that are told of at once, of each shard. */
    private static final int MOST_GROUPS = 1_000;

    private static final int SHARD_TIMEOUT_MS = 2_000;
    private static final int LEADER_TIMEOUT_MS = 1_000;

    private final Observed observed;
    private final @Nullable ClusterControl cluster;
    private final LinkService links;

    Diagnoses(Operated operated) {
        observed = operated.observed();
        cluster = operated.cluster();
        links = operated.links();
    }

    /** Of everything only what is wrong; WELL when nothing is. */
    CompletableFuture<List<Diagnosis>> all() {
        NodeFacts node = observed.node().get();
        Surroundings around = NodeDecision.surroundings(node);
        Looked wrong = new Looked(Looked.ALL, "", "", true, MOST_GROUPS);
        CompletableFuture<List<Diagnosis>> topics = around.dispatchStop() != null
                ? CompletableFuture.completedFuture(List.of())
                : ask(wrong, node).thenApply(told -> told.of(each -> ofTopic(each, around)));
        return topics.thenCombine(cluster == null ? none() : cluster(), (ofTopics, ofCluster) -> {
            List<Diagnosis> all = new ArrayList<>(NodeDecision.of(node));
            all.addAll(ofCluster);
            all.addAll(links());
            all.addAll(ofTopics);
            all.removeIf(each -> !each.cause().isWrong());
            if (all.isEmpty()) {
                all.addAll(NodeDecision.of(node));
            }
            return all;
        });
    }

    private static CompletableFuture<List<Diagnosis>> none() {
        return CompletableFuture.completedFuture(List.of());
    }

    /** What is with this node, and the links that end here. */
    List<Diagnosis> node() {
        List<Diagnosis> all = new ArrayList<>(NodeDecision.of(observed.node().get()));
        List<Diagnosis> ofLinks = links();
        if (!ofLinks.isEmpty()) {
            all.removeIf(each -> !each.cause().isWrong());
        }
        all.addAll(ofLinks);
        return all;
    }

    /** What is with a topic, and all its groups. */
    CompletableFuture<List<Diagnosis>> topic(String name) {
        TopicSpec topic = observed.catalog().get().get(name);
        NodeFacts node = observed.node().get();
        Surroundings around = NodeDecision.surroundings(node);
        if (around.dispatchStop() != null) {
            return CompletableFuture.completedFuture(List.of(on(Subject.topic(name), around.dispatchStop())));
        }
        return ask(topic.shard(), new Looked(topic.topicId(), "", "", false, MOST_GROUPS), Subject.topic(name))
                .thenApply(told -> told.of(each -> ofTopic(each, around)));
    }

    CompletableFuture<List<Diagnosis>> group(String topicName, String group) {
        TopicSpec topic = observed.catalog().get().get(topicName);
        NodeFacts node = observed.node().get();
        Surroundings around = NodeDecision.surroundings(node);
        Subject about = Subject.group(topicName, group);
        if (around.dispatchStop() != null) {
            return CompletableFuture.completedFuture(List.of(on(about, around.dispatchStop())));
        }
        return ask(topic.shard(), new Looked(topic.topicId(), group, "", false, MOST_GROUPS), about)
                .thenApply(told -> told.of(each -> ofGroups(each, around)));
    }

    /** Everywhere a consumer of this name, or number, is. */
    CompletableFuture<List<Diagnosis>> member(String name) {
        NodeFacts node = observed.node().get();
        Surroundings around = NodeDecision.surroundings(node);
        if (around.dispatchStop() != null) {
            Subject about = new Subject(Subject.Kind.MEMBER, "*", name);
            return CompletableFuture.completedFuture(List.of(on(about, around.dispatchStop())));
        }
        return ask(new Looked(Looked.ALL, "", name, false, MOST_GROUPS), node).thenApply(told -> {
            List<Diagnosis> all = told.of(each -> ofMember(each, name));
            if (all.isEmpty()) {
                throw new SpillwayException(
                        Code.NOT_FOUND,
                        "there is no consumer " + name,
                        "no group at this node has a member of that name or number",
                        "see spillway group describe TOPIC GROUP for the members of a group");
            }
            return all;
        });
    }

    CompletableFuture<List<Diagnosis>> cluster() {
        ClusterControl control = cluster;
        if (control == null) {
            throw new SpillwayException(
                    Code.NOT_FOUND,
                    "this broker is in no cluster",
                    "it stands alone: cluster-listen is not set",
                    "ask spillway diagnose node, or another broker");
        }
        try {
            ClusterStatus own = control.status();
            CompletableFuture<ClusterStatus> leaders = control.stopped().isEmpty()
                    ? control.leaderStatus().copy()
                    : CompletableFuture.failedFuture(new IllegalStateException(control.stopped()));
            return leaders.orTimeout(LEADER_TIMEOUT_MS, TimeUnit.MILLISECONDS)
                    .handle((seen, failure) -> ClusterDecision.of(facts(own, seen)));
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(ClusterDecision.of(new ClusterFacts("", false, List.of())));
        }
    }

    private static ClusterFacts facts(ClusterStatus own, @Nullable ClusterStatus seen) {
        ClusterStatus shown = seen == null ? own : seen;
        Peer leader = shown.leader();
        List<ClusterFacts.Node> nodes = shown.nodes().stream()
                .map(node -> new ClusterFacts.Node(
                        node.peer().id(),
                        node.peer().zone(),
                        node.role() == ClusterStatus.Role.VOTER,
                        node.isLeader(),
                        node.peer().clusterAddress(),
                        node.lagEntries(),
                        node.lagMs(),
                        node.lastContactMs()))
                .toList();
        return new ClusterFacts(leader == null ? "" : leader.id(), seen != null, nodes);
    }

    private List<Diagnosis> links() {
        List<Diagnosis> all = new ArrayList<>();
        for (LinkView link : links.view()) {
            String name = link.link().getName();
            if (!link.why().isEmpty()) {
                all.add(trouble(name, link.why()));
            }
            for (LinkView.Topic topic : link.topics()) {
                if (!topic.why().isEmpty()) {
                    all.add(trouble(name, "topic " + topic.name() + ": " + topic.why()));
                }
            }
        }
        return all;
    }

    private static Diagnosis trouble(String link, String why) {
        return new Diagnosis(
                new Subject(Subject.Kind.LINK, "", link), Cause.LINK_TROUBLE, why, 0, "spillway link status " + link);
    }

    private static Diagnosis on(Subject about, Diagnosis node) {
        return new Diagnosis(about, node.cause(), node.why(), node.sinceMs(), node.next());
    }

    private static List<Diagnosis> ofTopic(TopicFacts topic, Surroundings around) {
        List<Diagnosis> all = new ArrayList<>();
        all.add(TopicDecision.of(topic, around));
        all.addAll(ofGroups(topic, around));
        return all;
    }

    private static List<Diagnosis> ofGroups(TopicFacts topic, Surroundings around) {
        return topic.groups().stream()
                .map(group -> TopicDecision.of(group, around))
                .toList();
    }

    private static List<Diagnosis> ofMember(TopicFacts topic, String name) {
        List<Diagnosis> all = new ArrayList<>();
        for (GroupFacts group : topic.groups()) {
            for (MemberFacts member : group.members()) {
                boolean isAsked =
                        member.name().equals(name) || Long.toString(member.id()).equals(name);
                if (isAsked && group.replay().isEmpty()) {
                    all.add(GroupDecision.of(group, member));
                }
            }
        }
        return all;
    }

    /** What the shards said, and of those that did not that they did not. */
    private record Told(List<TopicFacts> topics, List<Diagnosis> silent) {
        List<Diagnosis> of(Function<TopicFacts, List<Diagnosis>> decision) {
            List<Diagnosis> all = new ArrayList<>(silent);
            topics.forEach(topic -> all.addAll(decision.apply(topic)));
            return all;
        }

        Told with(Told other) {
            List<TopicFacts> both = new ArrayList<>(topics);
            both.addAll(other.topics);
            List<Diagnosis> silentOnes = new ArrayList<>(silent);
            silentOnes.addAll(other.silent);
            return new Told(both, silentOnes);
        }
    }

    private CompletableFuture<Told> ask(Looked what, NodeFacts node) {
        CompletableFuture<Told> all = CompletableFuture.completedFuture(new Told(List.of(), List.of()));
        for (int shard = 0; shard < observed.shards().size(); shard++) {
            all = all.thenCombine(ask(shard, what, Subject.node(node.node())), Told::with);
        }
        return all;
    }

    private CompletableFuture<Told> ask(int shard, Looked what, Subject about) {
        CompletableFuture<List<TopicFacts>> answer = new CompletableFuture<>();
        Mailbox mailbox = observed.shards().get(shard);
        Reply<List<TopicFacts>> reply = Reply.completing(answer);
        if (!mailbox.offer(new ShardCommand.Diagnose(what, reply))) {
            return CompletableFuture.completedFuture(silent(
                    about, "shard " + shard + " takes nothing more: " + mailbox.depth() + " commands wait for it"));
        }
        // The shard's thread has other things to do than to read what it said.
        return answer.thenApplyAsync(facts -> new Told(facts, List.of()))
                .completeOnTimeout(
                        silent(about, "shard " + shard + " did not answer within " + SHARD_TIMEOUT_MS + " ms"),
                        SHARD_TIMEOUT_MS,
                        TimeUnit.MILLISECONDS);
    }

    private static Told silent(Subject about, String why) {
        String next = "take a thread dump (jcmd PID Thread.print), restart the broker, and report both";
        return new Told(List.of(), List.of(new Diagnosis(about, Cause.SHARD_SILENT, why, 0, next)));
    }
}
