package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.protocol.Code;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/**
 * {@code GET /diagnose}: what is wrong; with {@code topic}, {@code topic} and {@code group}, {@code member}, or {@code
 * scope=node} or {@code scope=cluster} what is with that, also when it is well. Thread-safe.
 */
final class DiagnoseRoutes {
    static final String PATH = "/diagnose";

    private static final String TOPIC = "topic";
    private static final String GROUP = "group";
    private static final String MEMBER = "member";
    private static final String SCOPE = "scope";
    private static final Set<Set<String>> ASKED =
            Set.of(Set.of(), Set.of(TOPIC), Set.of(TOPIC, GROUP), Set.of(MEMBER), Set.of(SCOPE));

    private final Diagnoses diagnoses;
    private final Observed observed;

    DiagnoseRoutes(Diagnoses diagnoses, Observed observed) {
        this.diagnoses = diagnoses;
        this.observed = observed;
    }

    static boolean areFor(String path) {
        return path.equals(PATH);
    }

    CompletableFuture<Answer> answer(AdminRequest request) {
        if (!request.reads()) {
            return CompletableFuture.completedFuture(Answer.onlyBy(Answer.READS));
        }
        try {
            return asked(request.query())
                    .handle((all, failure) -> failure == null
                            ? new Answer(
                                    200,
                                    Answer.JSON,
                                    DiagnosisJson.of(observed.node().get().node(), all))
                            : Answer.error(ClusterFailures.of(failure, "nothing is known")));
        } catch (RuntimeException e) {
            return CompletableFuture.completedFuture(Answer.error(ClusterFailures.of(e, "nothing is known")));
        }
    }

    private CompletableFuture<List<Diagnosis>> asked(Map<String, String> query) {
        if (!ASKED.contains(query.keySet())) {
            throw invalid("the parameters " + new TreeSet<>(query.keySet()) + " are not understood together");
        }
        if (query.containsKey(GROUP)) {
            return diagnoses.group(query.getOrDefault(TOPIC, ""), query.getOrDefault(GROUP, ""));
        }
        if (query.containsKey(TOPIC)) {
            return diagnoses.topic(query.getOrDefault(TOPIC, ""));
        }
        if (query.containsKey(MEMBER)) {
            return diagnoses.member(query.getOrDefault(MEMBER, ""));
        }
        return switch (query.getOrDefault(SCOPE, "")) {
            case "" -> diagnoses.all();
            case "node" -> CompletableFuture.completedFuture(diagnoses.node());
            case "cluster" -> diagnoses.cluster();
            default -> throw invalid("scope is " + query.get(SCOPE));
        };
    }

    private static SpillwayException invalid(String what) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                what,
                "there are: none, topic, topic and group, member, scope=node, scope=cluster",
                "correct it; see docs/operations/diagnose.md");
    }
}
