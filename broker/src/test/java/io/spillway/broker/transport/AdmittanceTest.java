package io.spillway.broker.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AdmittanceTest {
    private final List<EmbeddedChannel> channels = new ArrayList<>();

    /** A connection of that address. */
    private EmbeddedChannel from(String address) {
        EmbeddedChannel channel = new EmbeddedChannel() {
            @Override
            protected SocketAddress remoteAddress0() {
                return new InetSocketAddress(address, 4_000);
            }
        };
        channels.add(channel);
        return channel;
    }

    @AfterEach
    void close() {
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    @Test
    void anAddressMayHaveSoManyConnections() {
        Admittance admittance = new Admittance(new Door.Limits(100, 2, 100));
        EmbeddedChannel first = from("10.0.0.1");

        assertThat(admittance.enter(first)).isTrue();
        assertThat(admittance.enter(from("10.0.0.1"))).isTrue();
        assertThat(admittance.enter(from("10.0.0.1"))).isFalse();
        assertThat(admittance.enter(from("10.0.0.2"))).isTrue();
        first.close();
        assertThat(admittance.enter(from("10.0.0.1"))).isTrue();
        assertThat(admittance.refused()).isEqualTo(1);
    }

    @Test
    void whoComesLateGetsInAlthoughOthersHoldAsManyAsTheyCan() {
        Admittance admittance = new Admittance(new Door.Limits(100, 0, 5));
        EmbeddedChannel quiet = from("10.0.0.9");
        admittance.enter(quiet);
        List<EmbeddedChannel> flood = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            EmbeddedChannel channel = from("10.0.0.1");
            flood.add(channel);
            assertThat(admittance.enter(channel)).isTrue();
        }

        assertThat(quiet.isOpen()).isTrue();
        assertThat(admittance.halfOpen()).isEqualTo(5);
        assertThat(flood.stream().filter(EmbeddedChannel::isOpen).count()).isEqualTo(4);
        assertThat(flood.get(49).isOpen()).isTrue();
        assertThat(admittance.evicted()).isEqualTo(46);
    }

    @Test
    void whoHasSaidSomethingGoesAfterThoseWhoHaveNot() {
        Admittance admittance = new Admittance(new Door.Limits(100, 0, 3));
        EmbeddedChannel speaks = from("10.0.0.1");
        admittance.enter(speaks);
        admittance.spoke(speaks);
        for (int i = 0; i < 20; i++) {
            admittance.enter(from("10.0.0.1"));
        }
        assertThat(speaks.isOpen()).isTrue();

        channels.subList(1, channels.size()).forEach(admittance::spoke);
        admittance.enter(from("10.0.0.1"));
        assertThat(speaks.isOpen()).isFalse();
    }

    @Test
    void whoHasASessionIsNotHalfOpen() {
        Admittance admittance = new Admittance(new Door.Limits(100, 0, 2));
        EmbeddedChannel open = from("10.0.0.1");
        admittance.enter(open);
        admittance.opened(open);
        for (int i = 0; i < 10; i++) {
            admittance.enter(from("10.0.0.1"));
        }

        assertThat(open.isOpen()).isTrue();
        assertThat(admittance.isHalfOpen(open)).isFalse();
    }
}
