package io.spillway.broker.base;

/** The newest version of an immutable value: one thread sets it, any thread reads it. Thread-safe. */
public final class Published<T> {
    private volatile T value;

    public Published(T first) {
        value = first;
    }

    public T get() {
        return value;
    }

    public void set(T newest) {
        value = newest;
    }
}
