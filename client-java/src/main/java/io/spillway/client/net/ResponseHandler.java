package io.spillway.client.net;

import io.spillway.protocol.Frame;
import io.spillway.protocol.v1.Error;

/** Waits for the answer to one request. Called once, on the network thread. */
public interface ResponseHandler {
    /** The answer; released after the call. */
    void onResponse(Frame frame);

    /** The broker refused it, or, with CONNECTION_LOST, the connection ended before an answer came. */
    void onError(Error error);
}
