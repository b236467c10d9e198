package io.spillway.broker.diagnose;

import io.spillway.broker.chaos.Fault;
import io.spillway.broker.diagnose.Surroundings.Debt;
import io.spillway.broker.diagnose.Surroundings.Pressure;
import io.spillway.broker.diagnose.TopicFacts.Full;
import java.util.Comparator;
import java.util.Optional;

/** Why a topic does, or does not, take what is published to it. */
public final class TopicDecision {
    private TopicDecision() {}

    public static Diagnosis of(TopicFacts facts, Surroundings around) {
        Subject about = Subject.topic(facts.topic());
        String name = facts.topic();
        if (around.publishStop() != null) {
            return on(about, around.publishStop());
        }
        if (facts.linked() != null) {
            return new Diagnosis(
                    about, Cause.LINKED, facts.linked().why(), 0, facts.linked().next());
        }
        if (facts.publishPause() != null) {
            return new Diagnosis(
                    about,
                    Cause.PUBLISH_PAUSED,
                    facts.publishPause().reason(),
                    facts.publishPause().sinceMs(),
                    "when the reason is over: spillway topic resume " + name + " --publish");
        }
        if (facts.full() != null) {
            return full(about, facts.full());
        }
        Optional<Fault> fault = around.faults().stream()
                .filter(each ->
                        each.kind().isOfRequests() && each.what().scope().isOf(name))
                .findFirst();
        if (fault.isPresent()) {
            return NodeDecision.chaos(about, fault.get());
        }
        Optional<Debt> debt =
                around.debts().stream().filter(each -> each.concerns(name)).max(Comparator.comparingInt(Debt::waitMs));
        if (debt.isPresent()) {
            return owing(about, debt.get());
        }
        Optional<Pressure> pressure = around.pressures().stream()
                .filter(each -> each.level() >= Pressure.SLOWS)
                .findFirst();
        if (pressure.isPresent()) {
            return new Diagnosis(about, Cause.OVERLOADED, pressure.get().text(), 0, "spillway diagnose node");
        }
        return around.shedClassMin() < Surroundings.NO_CLASS
                ? shedding(about, around.shedClassMin())
                : Diagnosis.well(about, Cause.ACCEPTING, "no bound is reached, and nobody is slowed down");
    }

    /** What stops a whole node, said of something on it. */
    static Diagnosis on(Subject about, Diagnosis node) {
        return new Diagnosis(about, node.cause(), node.why(), node.sinceMs(), node.next());
    }

    private static Diagnosis full(Subject about, Full full) {
        String whose = full.group().isEmpty() ? "what is stored" : "what group " + full.group() + " has not settled";
        return new Diagnosis(
                about,
                Cause.QUEUE_FULL,
                whose + " is " + full.actual() + " by " + full.bound() + ", the bound is " + full.limit(),
                0,
                full.group().isEmpty()
                        ? "raise the bound: spillway topic alter " + about.topic()
                        : "see why the group does not consume: spillway diagnose group " + about.topic() + " "
                                + full.group());
    }

    static Diagnosis owing(Subject about, Debt debt) {
        return new Diagnosis(
                about,
                Cause.QUOTA,
                debt.text(),
                0,
                "publish less, or allow more: spillway quota show, spillway quota set");
    }

    static Diagnosis shedding(Subject about, int least) {
        return new Diagnosis(
                about,
                Cause.SHED_BY_TOGGLE,
                "publishes of class " + least + " and higher are refused (toggle broker.shed_class_min)",
                0,
                "when the reason is over: spillway toggle set broker.shed_class_min default --reason WHY");
    }

    /** A group on its node. */
    public static Diagnosis of(GroupFacts facts, Surroundings around) {
        return around.dispatchStop() == null ? GroupDecision.of(facts) : on(facts.subject(), around.dispatchStop());
    }
}
