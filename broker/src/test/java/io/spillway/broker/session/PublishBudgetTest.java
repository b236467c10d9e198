package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    void aFifthIsSureWhateverAnotherTook() {
        takeAll(budget.open("rust"));

        assertThat(takeAll(budget.open("go"))).isBetween(LIMIT * 195 / 1_000, LIMIT / 5);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void eachOfSeveralThatSurgeHasAtLeastAFifthOfAllAndAtMostFourFifths(int surging) {
        SplittableRandom random = new SplittableRandom(surging);
        List<PublishBudget.Share> shares = new ArrayList<>();
        for (int i = 0; i < surging; i++) {
            shares.add(budget.open("d" + i));
            takeAll(shares.get(i));
        }
        for (int i = 0; i < 50_000; i++) {
            PublishBudget.Share served = shares.get(random.nextInt(surging));
            if (served.domainBytes() > 0) {
                served.give(100);
            }
            shares.forEach(share -> share.take(100));
        }

        assertThat(shares)
                .allSatisfy(share -> assertThat(share.domainBytes())
                        .as("seed %d", surging)
                        .isBetween(LIMIT * 18L / 100, LIMIT * 80L / 100));
    }

    @Test
    void moreDomainsThanThatShareWhatThereIs() {
        List<PublishBudget.Share> shares = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            shares.add(budget.open("d" + i));
        }
        shares.subList(0, 8).forEach(PublishBudgetTest::takeAll);

        shares.get(0).give(LIMIT / 10);

        assertThat(shares.get(0).take(100)).as("it has more than its part").isFalse();
        assertThat(takeAll(shares.get(8))).isEqualTo(LIMIT / 10);
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
    void aPartThatIsFullAgainAndAgainIsNoPressureAndOneThatStaysFullIs() {
        PublishBudget.Share rust = budget.open("rust");
        takeAll(rust);
        budget.endInterval();

        rust.give(LIMIT / 2);
        takeAll(rust);
        assertThat(budget.endInterval().get("rust")).isLessThan(500);

        rust.take(100);
        assertThat(budget.endInterval().get("rust")).isGreaterThan(900);
        rust.give((int) rust.domainBytes());
        assertThat(budget.endInterval()).containsEntry("rust", 0L);
    }

    @Test
    void aNeighbourOfOneThatStaysFullHasWhatItHas() {
        takeAll(budget.open("rust"));
        PublishBudget.Share go = budget.open("go");
        go.take(LIMIT / 20);
        budget.endInterval();

        assertThat(budget.endInterval())
                .hasEntrySatisfying("rust", used -> assertThat(used).isEqualTo(1_000L))
                .hasEntrySatisfying("go", used -> assertThat(used).isBetween(50L, 150L));
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
