package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Memory for publishes that wait is shared so that no failure domain takes it from another. */
class PublishBudgetTest {
    private static final int LIMIT = 90_000;

    private final PublishBudget budget = new PublishBudget(LIMIT);

    private static int takeAll(PublishBudget.Share share) {
        int taken = 0;
        while (share.take(100)) {
            taken += 100;
        }
        return taken;
    }

    @Test
    void aDomainAloneGetsFourFifths() {
        assertThat(takeAll(budget.open("rust"))).isBetween(LIMIT * 79 / 100, LIMIT * 81 / 100);
    }

    @Test
    void thereIsRoomForAnotherWhateverOneTakes() {
        PublishBudget.Share rust = budget.open("rust");
        takeAll(rust);

        PublishBudget.Share go = budget.open("go");

        assertThat(takeAll(go)).isGreaterThan(LIMIT / 10);
        assertThat(rust.take(100)).isFalse();
    }

    @Test
    void whatSurgesShrinksToWhatTheOtherLeavesIt() {
        PublishBudget.Share rust = budget.open("rust");
        PublishBudget.Share go = budget.open("go");
        int taken = takeAll(rust);
        for (int given = 0; given < taken; given += 100) {
            rust.give(100);
            go.take(100);
            rust.take(100);
        }

        assertThat(go.domainBytes()).isGreaterThan(LIMIT * 35 / 100);
        assertThat(rust.domainBytes()).isLessThan(LIMIT * 55 / 100);
    }

    @Test
    void connectionsOfADomainShareItsPart() {
        takeAll(budget.open("rust"));

        assertThat(budget.open("rust").take(100)).isFalse();
        assertThat(budget.open("go").take(100)).isTrue();
    }

    @Test
    void whatIsGivenBackAfterTheLastConnectionOfADomainIsCounted() {
        PublishBudget.Share share = budget.open("rust");
        share.take(100);
        share.close();
        share.give(100);

        assertThat(budget.bytes()).isZero();
        assertThat(budget.open("rust").domainBytes()).isZero();
    }
}
