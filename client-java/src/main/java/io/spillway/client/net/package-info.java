/**
 * The connection to a broker: handshake, frames, requests and their answers, heartbeat, reconnect. Knows nothing of
 * producers and consumers. Not for users of the client.
 */
@NullMarked
package io.spillway.client.net;

import org.jspecify.annotations.NullMarked;
