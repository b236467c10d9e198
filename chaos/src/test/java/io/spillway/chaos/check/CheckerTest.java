package io.spillway.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.chaos.history.Failure;
import org.junit.jupiter.api.Test;

/** Every violation is found in a history that was made up for it, and none in one that is good. */
class CheckerTest {
    private static Story good() {
        return new Story().lived(1, "a-0", "a", 10).lived(2, "a-1", "a", 11).lived(3, "b-0", "b", 12);
    }

    @Test
    void aGoodHistoryBreaksNothing() {
        assertThat(good().broken()).isEmpty();
    }

    @Test
    void anAckedRecordMissingOnOneReplicaIsFound() {
        assertThat(good().lose("n2", "a-1").broken()).contains("nothing acked is lost");
    }

    @Test
    void anAckedRecordAtAnotherOffsetIsFound() {
        Story story = good().invoke(4, "c-0", "c")
                .ack(4, "c-0", 13)
                .store("c-0", "c", 14)
                .delivered("c-0", "c", 13);

        assertThat(story.broken()).contains("nothing acked is lost");
    }

    @Test
    void anAckedRecordWithAnotherValueIsFound() {
        Story story = good().lose("n3", "b-0").store("n3", "b-0", "b", 12, false);

        assertThat(story.broken()).contains("nothing acked is lost", "nothing is made up");
    }

    @Test
    void aRecordStoredTwiceIsFound() {
        assertThat(good().store("a-0", "a", 13).broken()).containsExactly("nothing is stored twice");
    }

    @Test
    void aDeadLetterIsNoRecordStoredTwice() {
        assertThat(good().bury("a-0", "a", 10).broken()).isEmpty();
    }

    @Test
    void aRecordGivenUpTwiceByAGroupIsFound() {
        assertThat(good().bury("a-0", "a", 10).bury("a-0", "a", 10).broken())
                .containsExactly("a dead letter is a copy of what is stored, once for a group");
    }

    @Test
    void aDeadLetterOfWhatIsNotThereIsFound() {
        assertThat(good().bury("a-0", "a", 99).broken())
                .containsExactly("a dead letter is a copy of what is stored, once for a group");
    }

    @Test
    void anUnknownOutcomeMayBeStoredOrNot() {
        Story story = good().invoke(4, "c-0", "c")
                .fail(4, "c-0", Story.UNKNOWN)
                .invoke(5, "c-1", "c")
                .fail(5, "c-1", Story.UNKNOWN)
                .store("c-0", "c", 13);

        assertThat(story.broken()).isEmpty();
    }

    @Test
    void anUnknownOutcomeStoredTwiceIsFound() {
        Story story = good().invoke(4, "c-0", "c")
                .fail(4, "c-0", Story.UNKNOWN)
                .store("c-0", "c", 13)
                .store("c-0", "c", 14);

        assertThat(story.broken()).containsExactly("nothing is stored twice");
    }

    @Test
    void aKeyThatIsAckedAtTwoPlacesIsFound() {
        Story story = good().invoke(4, "a-0", "a").ack(4, "a-0", 13).store("a-0", "a", 13);

        assertThat(story.broken()).contains("all acks of a key name one place");
    }

    @Test
    void aKeyThatIsAckedAgainAtItsPlaceIsGood() {
        assertThat(good().invoke(4, "a-0", "a").ack(4, "a-0", 10).broken()).isEmpty();
    }

    @Test
    void anAckThatIsLessDurableThanAskedIsFound() {
        Story story = good().invoke(4, "c-0", "c")
                .ack(4, "c-0", 13, "mapped")
                .store("c-0", "c", 13)
                .delivered("c-0", "c", 13);

        assertThat(story.broken()).containsExactly("acks are as durable as asked for");
    }

    @Test
    void aRefusedRecordThatIsStoredIsFound() {
        Story story = good().invoke(4, "c-0", "c").fail(4, "c-0", Story.REFUSED).store("c-0", "c", 13);

        assertThat(story.broken()).containsExactly("what was refused is not stored");
    }

    @Test
    void aRecordThatNobodyWroteIsFound() {
        assertThat(good().store("x-0", "x", 13).broken()).containsExactly("nothing is made up");
    }

    @Test
    void anotherPayloadThatIsAckedIsFound() {
        Story story = good().invokeAltered(4, "a-0", "a").ack(4, "a-0", 10);

        assertThat(story.broken()).containsExactly("another payload under a known key is refused");
    }

    @Test
    void anotherPayloadThatIsRefusedIsGood() {
        assertThat(good().invokeAltered(4, "a-0", "a")
                        .fail(4, "a-0", Story.REFUSED)
                        .broken())
                .isEmpty();
    }

    @Test
    void replicasThatDifferAreFound() {
        assertThat(good().digest("n3", "otherwise").broken()).containsExactly("all replicas are identical");
    }

    @Test
    void recordsOfAKeyInTheWrongOrderAreFound() {
        Story story = new Story().lived(1, "a-0", "a", 11).lived(2, "a-1", "a", 10);

        assertThat(story.broken()).contains("the records of a key are in order");
    }

    @Test
    void recordsOfOneCallInTheWrongOrderAreFound() {
        Story story = new Story()
                .invoke(1, "a-0", "a")
                .invoke(1, "a-1", "a")
                .ack(1, "a-0", 11)
                .ack(1, "a-1", 10)
                .store("a-0", "a", 11)
                .store("a-1", "a", 10)
                .delivered("a-1", "a", 10)
                .delivered("a-0", "a", 11);

        assertThat(story.broken()).containsExactly("the records of a key are in order");
    }

    @Test
    void aRecordThatWasRepeatedLaterMayStandAfterItsNeighbour() {
        Story story = new Story()
                .invoke(1, "a-0", "a")
                .invoke(1, "a-1", "a")
                .fail(1, "a-0", Story.UNKNOWN)
                .ack(1, "a-1", 10)
                .invoke(2, "a-0", "a")
                .ack(2, "a-0", 11)
                .store("a-0", "a", 11)
                .store("a-1", "a", 10)
                .delivered("a-1", "a", 10)
                .delivered("a-0", "a", 11);

        assertThat(story.broken()).isEmpty();
    }

    @Test
    void firstDeliveriesOfAKeyInTheWrongOrderAreFound() {
        Story story = new Story()
                .invoke(1, "a-0", "a")
                .ack(1, "a-0", 10)
                .invoke(2, "a-1", "a")
                .ack(2, "a-1", 11)
                .store("a-0", "a", 10)
                .store("a-1", "a", 11)
                .delivered("a-1", "a", 11)
                .delivered("a-0", "a", 10);

        assertThat(story.broken()).containsExactly("first deliveries of a key are in order");
    }

    @Test
    void recordsWithoutAKeyHaveNoOrder() {
        Story story = new Story()
                .invoke(1, "a-0", "")
                .ack(1, "a-0", 10)
                .invoke(2, "a-1", "")
                .ack(2, "a-1", 11)
                .store("a-0", "", 10)
                .store("a-1", "", 11)
                .delivered("a-1", "", 11)
                .delivered("a-0", "", 10);

        assertThat(story.broken()).isEmpty();
    }

    @Test
    void aRedeliveryMayComeLater() {
        assertThat(good().delivered("a-0", "a", 10).broken()).isEmpty();
    }

    @Test
    void anAckedRecordThatAGroupNeverGotIsFound() {
        Story story = good().invoke(4, "c-0", "c")
                .ack(4, "c-0", 13)
                .store("c-0", "c", 13)
                .deliver("shared", "c-0", "c", 13);

        assertThat(story.broken()).containsExactly("everything acked is delivered");
    }

    @Test
    void aConfirmedMessageThatComesAgainIsFound() {
        assertThat(good().confirm("shared", 10)
                        .deliver("shared", "a-0", "a", 10)
                        .broken())
                .containsExactly("what was confirmed comes no more");
    }

    @Test
    void aConfirmedMessageMayComeLateToSomebodyWhoHadItBeforeAndStoodStill() {
        assertThat(good().stop("go")
                        .deliverFirst("rust", 2)
                        .confirm("shared", 10)
                        .deliverFirst("go", 1)
                        .broken())
                .isEmpty();
    }

    @Test
    void aConfirmedMessageThatIsDeliveredAnewToSomebodyWhoStoodStillIsFound() {
        assertThat(good().stop("go")
                        .deliverFirst("rust", 2)
                        .confirm("shared", 10)
                        .deliverFirst("go", 3)
                        .broken())
                .containsExactly("what was confirmed comes no more");
    }

    @Test
    void aConfirmedMessageOfOneGroupMayComeToTheOther() {
        assertThat(good().confirm("ordered", 10)
                        .deliver("shared", "a-0", "a", 10)
                        .broken())
                .isEmpty();
    }

    @Test
    void aRefusalWithoutAReasonIsFound() {
        Failure bare = new Failure(402, "READ_ONLY", "NEVER", 0, "what", "", "next");

        assertThat(good().invoke(4, "c-0", "c").fail(4, "c-0", bare).broken())
                .containsExactly("every failure is explained");
        assertThat(good().trouble(bare).broken()).containsExactly("every failure is explained");
    }

    @Test
    void aCallWithoutAnOutcomeIsFound() {
        assertThat(good().invoke(4, "c-0", "c").broken()).containsExactly("every call has an outcome");
    }

    @Test
    void aReadyLeaderWithoutAMajorityIsFound() {
        Story story = good().health(true, true, false).wait(9).health(true, true, false);

        assertThat(story.broken()).containsExactly("no ready leader is without a majority");
    }

    @Test
    void aLeaderMayTakeAMomentToSeeThatItHasNoMajority() {
        Story story = good().health(true, true, false)
                .wait(4)
                .health(true, true, false)
                .wait(4)
                .health(false, true, false)
                .wait(4)
                .health(false, true, false);

        assertThat(story.broken()).isEmpty();
    }

    @Test
    void aReadyLeaderThatIsReachedAndAcksNothingIsFound() {
        Story story = good().health(true, true, true)
                .wait(13)
                .health(true, true, true)
                .invoke(4, "c-0", "c")
                .fail(4, "c-0", Story.UNKNOWN);

        assertThat(story.broken()).containsExactly("no ready leader is stuck");
    }

    @Test
    void aReadyLeaderThatAcksIsGood() {
        Story story = good().health(true, true, true)
                .wait(7)
                .lived(4, "c-0", "c", 13)
                .wait(7)
                .health(true, true, true)
                .lived(5, "c-1", "c", 14);

        assertThat(story.broken()).isEmpty();
    }
}
