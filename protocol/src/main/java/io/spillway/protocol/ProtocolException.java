package io.spillway.protocol;

/** Bytes that break the wire protocol. The code says which rule; whoever reads them answers with it or closes. */
public final class ProtocolException extends RuntimeException {
    private final Code code;

    public ProtocolException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public Code code() {
        return code;
    }
}
