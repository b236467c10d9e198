package io.spillway.broker.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class MemberTest {
    @Test
    void takesNothingBeforeItGrantedCredit() {
        var member = new Member(1, 10, 0, 0);

        member.grant(1, 1);

        assertThat(new Member(1, 10, 0, 0).canTake()).isFalse();
        assertThat(member.canTake()).isTrue();
    }

    @Test
    void neverLosesCreditToASmallerGrant() {
        var member = new Member(1, 10, 2, 100);

        member.grant(1, 50);
        member.delivered(1, 60);

        assertThat(member.canTake()).isTrue();
    }

    @Test
    void overdrawsTheLastByteByOneBatch() {
        var member = new Member(1, 10, 9, 100);
        member.delivered(1, 99);

        assertThat(member.canTake()).isTrue();
        member.delivered(1, 1 << 20);
        assertThat(member.canTake()).isFalse();
        member.grant(9, 200);
        assertThat(member.canTake()).isFalse();
        member.grant(9, 100 + (1 << 20));
        assertThat(member.canTake()).isTrue();
    }

    @Test
    void takesNothingWhileItHoldsAllItMay() {
        var member = new Member(1, 10, 9, 1000);
        member.delivered(10, 1);

        assertThat(member.canTake()).isFalse();
        assertThat(member.room()).isZero();
        member.settled(4);
        assertThat(member.canTake()).isTrue();
        assertThat(member.room()).isEqualTo(4);
    }

    @Test
    void takesNothingWhilePaused() {
        var member = new Member(1, 10, 9, 1000);

        member.paused(true);
        assertThat(member.canTake()).isFalse();
        member.paused(false);
        assertThat(member.canTake()).isTrue();
    }

    @Test
    void hasNoMoreRoomThanAskedForWhenLateSettlesFollowASeek() {
        var member = new Member(1, 10, 9, 1000);
        member.delivered(8, 1);
        member.settled(member.unacked());

        member.settled(3);

        assertThat(member.unacked()).isZero();
        assertThat(member.room()).isEqualTo(10);
    }

    @Test
    void conservesCredit() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        var member = new Member(1, 100, 0, 0);
        long grantedBatches = 0;
        long grantedBytes = 0;
        long usedBatches = 0;
        long usedBytes = 0;
        int held = 0;
        for (int step = 0; step < 100_000; step++) {
            var what = "seed " + seed + ", step " + step;
            boolean canTake = usedBatches < grantedBatches && usedBytes < grantedBytes && held < 100;
            assertThat(member.canTake()).as(what).isEqualTo(canTake);
            assertThat(member.room()).as(what).isEqualTo(100 - held);
            if (canTake && random.nextBoolean()) {
                int records = 1 + random.nextInt(100 - held);
                int bytes = 1 + random.nextInt(500);
                member.delivered(records, bytes);
                usedBatches++;
                usedBytes += bytes;
                held += records;
            } else if (held > 0 && random.nextBoolean()) {
                int records = 1 + random.nextInt(held);
                member.settled(records);
                held -= records;
            } else {
                grantedBatches += random.nextInt(3);
                grantedBytes += random.nextInt(600);
                member.grant(grantedBatches - random.nextInt(2), grantedBytes);
                member.grant(grantedBatches, grantedBytes);
            }
        }
    }
}
