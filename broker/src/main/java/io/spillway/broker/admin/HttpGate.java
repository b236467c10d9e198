package io.spillway.broker.admin;

import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslHandler;
import io.spillway.broker.auth.AuthSettings;
import io.spillway.broker.auth.Authenticator;
import io.spillway.broker.auth.Identity;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Peer;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.auth.Tls;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.session.Security;
import io.spillway.protocol.Code;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Who sends a request, and whether he may: by Basic, by Bearer, or by the certificate of the connection. What tells probes whether
 * to restart or to wait is open to everybody. Confined to the admin thread.
 */
final class HttpGate {
    private static final Set<String> OPEN = Set.of("/livez", "/readyz", "/startupz");
    private static final String METRICS = "/metrics";
    private static final String BASIC = "Basic ";
    private static final String BEARER = "Bearer ";
    private static final int MAX_REMEMBERED = 256;
    /** Of what changes something there, the right that it needs; all else needs CLUSTER. */
    private static final Map<String, Operation> CHANGES = Map.of(
            "/quotas", Operation.QUOTA,
            "/toggles", Operation.TOGGLE,
            "/chaos", Operation.CHAOS,
            "/drain", Operation.DRAIN,
            "/cluster/drain", Operation.DRAIN);

    private final HttpDoor door;
    /** Verified before, so that a scraper does not cost a password's hashing each time. */
    private final Map<String, Identity> remembered = new LinkedHashMap<>();

    HttpGate(HttpDoor door) {
        this.door = door;
    }

    /** Throws UNAUTHENTICATED, THROTTLED or PERMISSION_DENIED, once that is written down. */
    Identity check(HttpHeaders headers, AdminRequest request, Channel channel) {
        Security security = door.security();
        if (security == null || OPEN.contains(request.path())) {
            return Identity.NOBODY;
        }
        AuthSettings settings = security.settings();
        if (request.path().equals(METRICS) && settings.openMetrics()) {
            return Identity.NOBODY;
        }
        Identity who = identity(security, headers, request, channel);
        if (settings.rulesApply()) {
            security.require(who, request.peer() + " http " + request.path(), needed(request), Resource.CLUSTER, "");
        }
        return who;
    }

    void onTlsFailure(String peer, SSLException failure) {
        if (door.security() != null) {
            door.security().denials().unknown(peer + " http", Tls.text(failure));
        }
    }

    private Identity identity(Security security, HttpHeaders headers, AdminRequest request, Channel channel) {
        try {
            return authenticate(security.authenticator(), headers.get(HttpHeaderNames.AUTHORIZATION), peer(channel));
        } catch (SpillwayException e) {
            security.denials().unknown(request.peer() + " http " + request.path(), e.why());
            throw e;
        }
    }

    private Peer peer(Channel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        Peer shown = tls == null ? Peer.UNKNOWN : door.names().peer(tls.engine().getSession());
        return shown.from(channel.remoteAddress());
    }

    private Identity authenticate(Authenticator authenticator, @Nullable String authorization, Peer peer) {
        if (authorization == null) {
            Authenticator.Step step = authenticator.begin("", new byte[0], peer);
            return step instanceof Authenticator.Done done ? done.identity() : Identity.NOBODY;
        }
        if (authorization.startsWith(BEARER)) {
            return authenticator.token(authorization.substring(BEARER.length()).strip(), peer);
        }
        if (authorization.startsWith(BASIC)) {
            return password(
                    authenticator, authorization.substring(BASIC.length()).strip(), peer);
        }
        throw new SpillwayException(
                Code.UNAUTHENTICATED, "you are not let in", "the scheme is not known", "use Basic or Bearer");
    }

    private Identity password(Authenticator authenticator, String encoded, Peer peer) {
        String text;
        try {
            text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            text = "";
        }
        int colon = text.indexOf(':');
        if (colon < 1) {
            throw new SpillwayException(
                    Code.UNAUTHENTICATED,
                    "you are not let in",
                    "the header is not one of Basic",
                    "send user:password in base64");
        }
        String user = text.substring(0, colon);
        String password = text.substring(colon + 1);
        String memory = authenticator.memory(user, password);
        Identity known = peer.isEncrypted() ? remembered.get(memory) : null;
        if (known != null) {
            return known;
        }
        Identity proved = authenticator.password(user, password, peer);
        if (remembered.size() >= MAX_REMEMBERED) {
            remembered.remove(remembered.keySet().iterator().next());
        }
        remembered.put(memory, proved);
        return proved;
    }

    /** What the console changes is asked of a session, which has the rules of the wire. */
    private static Operation needed(AdminRequest request) {
        if (request.reads() || ApiRoutes.areFor(request.path())) {
            return Operation.DESCRIBE;
        }
        return CHANGES.entrySet().stream()
                .filter(change ->
                        request.path().equals(change.getKey()) || request.path().startsWith(change.getKey() + "/"))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(Operation.CLUSTER);
    }
}
