package io.spillway.conformance.javadriver;

/** A request that the driver itself cannot carry out; answered with the reason DRIVER. */
final class DriverException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DriverException(String message) {
        super(message);
    }
}
