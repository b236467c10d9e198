package io.spillway.broker.admin;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;

/** What sends a request. */
enum Origin {
    /** A program: there is no header Origin. */
    PROGRAM,
    /** The console, served from here. No other page can set its header: a browser asks before it sends one elsewhere. */
    CONSOLE,
    /** Some page in a browser. */
    PAGE;

    /** What the console says with each request that changes something. */
    static final String HEADER = "X-Spillway-Request";

    static Origin of(HttpHeaders headers) {
        String origin = headers.get(HttpHeaderNames.ORIGIN);
        if (origin == null) {
            return headers.contains(HEADER) ? CONSOLE : PROGRAM;
        }
        String place = origin.substring(origin.indexOf("://") < 0 ? 0 : origin.indexOf("://") + 3);
        return headers.contains(HEADER) && place.equalsIgnoreCase(headers.get(HttpHeaderNames.HOST)) ? CONSOLE : PAGE;
    }
}
