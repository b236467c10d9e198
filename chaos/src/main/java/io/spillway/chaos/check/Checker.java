package io.spillway.chaos.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All rules over the evidence of one round. */
public final class Checker {
    private static final int SHOWN = 5;

    private final Map<String, Rule> rules = new LinkedHashMap<>();

    /**
     * For these groups.
     *
     * @param ordered the one that keeps the order of keys
     * @param groups all of them
     */
    public Checker(String ordered, List<String> groups) {
        rules.put("nothing acked is lost", Stored::nothingAckedIsLost);
        rules.put("nothing is stored twice", Stored::nothingIsStoredTwice);
        rules.put("all acks of a key name one place", Stored::acksAgree);
        rules.put("acks are as durable as asked for", Stored::acksSayQuorum);
        rules.put("what was refused is not stored", Stored::whatWasRefusedIsNotStored);
        rules.put("nothing is made up", Stored::nothingIsMadeUp);
        rules.put("another payload under a known key is refused", Stored::anotherPayloadIsRefused);
        rules.put("all replicas are identical", Stored::replicasAreIdentical);
        rules.put("the records of a key are in order", Order::keysAreInOrder);
        rules.put(
                "first deliveries of a key are in order",
                (evidence, broken) -> Order.firstDeliveriesAreInOrder(evidence, ordered, broken));
        rules.put(
                "everything acked is delivered",
                (evidence, broken) -> Deliveries.everythingAckedIsDelivered(evidence, groups, broken));
        rules.put("what was confirmed comes no more", Deliveries::nothingConfirmedComesAgain);
        rules.put("a dead letter is a copy of what is stored, once for a group", DeadLetters::areCopies);
        rules.put("every failure is explained", Reasons::everyFailureIsExplained);
        rules.put("every call has an outcome", Reasons::everyCallHasAnOutcome);
        rules.put("no ready leader is without a majority", Truth::noReadyLeaderIsWithoutMajority);
        rules.put("no ready leader is stuck", Truth::noReadyLeaderIsStuck);
    }

    /** What is broken; of each rule the first few cases, and how many there are. */
    public List<Violation> check(Evidence evidence) {
        List<Violation> violations = new ArrayList<>();
        rules.forEach((name, rule) -> {
            List<String> cases = new ArrayList<>();
            rule.check(evidence, cases::add);
            cases.stream().limit(SHOWN).forEach(one -> violations.add(new Violation(name, one)));
            if (cases.size() > SHOWN) {
                violations.add(new Violation(name, cases.size() + " cases in all"));
            }
        });
        return violations;
    }
}
