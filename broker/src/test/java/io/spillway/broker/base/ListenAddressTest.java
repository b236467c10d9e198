package io.spillway.broker.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.BindException;
import java.nio.channels.UnresolvedAddressException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ListenAddressTest {
    @Test
    void theReasonIsTheSameWhicheverSocketsAreUsed() {
        ListenAddress address = new ListenAddress("::1", 7400);

        assertThat(address.refused(new BindException("Address already in use"), "--listen"))
                .hasToString(address.refused(
                                new IOException("bind(..) failed with error(-98): Address already in use"), "--listen")
                        .toString())
                .hasMessageContaining("[::1]:7400");
        assertThat(address.refused(new UnresolvedAddressException(), "--listen").toString())
                .contains("the host is unknown");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "host", ":7400", "host:", "host:65536", "host:-1", "::1:7400", "http://host:7400", "a b:1"})
    void whatIsNoAddressIsNone(String text) {
        assertThat(ListenAddress.parse(text)).isEmpty();
    }
}
