package io.spillway.broker.admin;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.spillway.broker.auth.Identity;
import io.spillway.broker.session.House;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A request, read.
 *
 * @param query of a parameter given twice the last value
 * @param peer who sends it, as an address
 * @param origin what sends it
 * @param visitor who sends it, for what goes through a session
 */
record AdminRequest(
        HttpMethod method, String path, Map<String, String> query, String peer, Origin origin, House.Visitor visitor) {
    /** The parameter that says who asks. */
    static final String BY = "by";

    private static final int MAX_PARAMETERS = 16;

    /** Throws IllegalArgumentException when the query cannot be decoded. */
    static AdminRequest of(FullHttpRequest request, String peer) {
        String uri = request.uri();
        int end = uri.indexOf('?');
        Map<String, String> query = new LinkedHashMap<>();
        if (end >= 0) {
            new QueryStringDecoder(uri.substring(end + 1), StandardCharsets.UTF_8, false, MAX_PARAMETERS)
                    .parameters()
                    .forEach((name, values) -> query.put(name, values.get(values.size() - 1)));
        }
        return new AdminRequest(
                request.method(),
                end < 0 ? uri : uri.substring(0, end),
                query,
                peer,
                Origin.of(request.headers()),
                new House.Visitor("console", peer, Identity.NOBODY));
    }

    /** The same from somebody known: whatever he calls himself, it is he who did it. */
    AdminRequest by(Identity who) {
        if (!who.isKnown()) {
            return this;
        }
        Map<String, String> named = new LinkedHashMap<>(query);
        named.put(BY, who.name());
        return new AdminRequest(method, path, named, who.name() + " @ " + peer, origin, visitor.as(who));
    }

    /** What stands below a root path, without the slash; empty for the root. */
    String below(String root) {
        return path.length() > root.length() ? path.substring(root.length() + 1) : "";
    }

    boolean reads() {
        return HttpMethod.GET.equals(method) || HttpMethod.HEAD.equals(method);
    }

    boolean posts() {
        return HttpMethod.POST.equals(method);
    }
}
