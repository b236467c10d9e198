package io.spillway.broker.session;

import io.spillway.broker.auth.Authenticator;
import io.spillway.broker.auth.Authenticator.Done;
import io.spillway.broker.auth.Authenticator.More;
import io.spillway.broker.auth.Identity;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Frame;
import io.spillway.protocol.FrameKind;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Auth;
import io.spillway.protocol.v1.Hello;
import io.spillway.protocol.v1.HelloOk;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who a client is before its session begins: by HELLO alone, or with a challenge that AUTH answers. Confined to the
 * connection's event loop.
 */
final class Login {
    private final SessionContext context;
    private final Connection connection;
    private final Outbox outbox;
    private @Nullable Hello hello;
    private Authenticator.@Nullable Exchange exchange;

    /** Begins the session of a client that is let in. */
    interface LetIn {
        /** @param answered the request that is answered now, and what the answer has for the client's login */
        void begin(Hello hello, Identity identity, FrameKind answered, int correlation, byte[] data);
    }

    Login(SessionContext context, Connection connection, Outbox outbox) {
        this.context = context;
        this.connection = connection;
        this.outbox = outbox;
    }

    void begin(Hello asked, int correlation, LetIn letIn) {
        if (hello != null) {
            throw new ProtocolException(Code.MALFORMED_FRAME, "a second HELLO came on one connection");
        }
        hello = asked;
        try {
            Authenticator.Step step = context.security()
                    .authenticator()
                    .begin(asked.getAuthMechanism(), asked.getAuthData().toByteArray(), connection.peer());
            if (step instanceof Done done) {
                letIn.begin(asked, done.identity(), FrameKind.HELLO, correlation, done.data());
            } else if (step instanceof More more) {
                exchange = more.exchange();
                outbox.answer(
                        FrameKind.HELLO,
                        0,
                        correlation,
                        HelloOk.newBuilder()
                                .setAuthMore(true)
                                .setAuthData(com.google.protobuf.ByteString.copyFrom(more.data()))
                                .build());
            }
        } catch (SpillwayException e) {
            refuse(FrameKind.HELLO, correlation, e);
        }
    }

    void answer(Frame frame, LetIn letIn) {
        Hello asked = hello;
        Authenticator.Exchange open = exchange;
        exchange = null;
        if (asked == null || open == null) {
            throw new ProtocolException(Code.MALFORMED_FRAME, "AUTH came, and nothing was asked for");
        }
        try {
            Done done = open.finish(frame.header(Auth.parser()).getData().toByteArray());
            letIn.begin(asked, done.identity(), FrameKind.AUTH, frame.correlation(), done.data());
        } catch (SpillwayException e) {
            refuse(FrameKind.AUTH, frame.correlation(), e);
        }
    }

    private void refuse(FrameKind kind, int correlation, SpillwayException why) {
        Hello asked = hello;
        String who = asked == null ? "" : asked.getClientId();
        if (why.code() == Code.UNAUTHENTICATED || why.code() == Code.THROTTLED) {
            context.security().denials().unknown(who + " @ " + connection.remote(), why.why());
        }
        outbox.fail(kind, 0, correlation, WireErrors.of(why));
        connection.closeAfterFlush();
    }
}
