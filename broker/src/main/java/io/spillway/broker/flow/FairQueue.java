package io.spillway.broker.flow;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Items that wait, taken in fair turns on every level of a path: deficit round robin (Shreedhar and Varghese, SIGCOMM 1995)
 * among the first names, within each among the second ones, and so on. A turn is worth so many bytes, whatever the number of
 * items, so that many small items get no more than few large ones. Taking and adding cost the same however many wait.
 *
 * <p>Names are forgotten when nothing of theirs waits. Not thread-safe.
 */
public final class FairQueue<T> {
    /** What has its turns: a queue of items, or a ring of such. */
    private abstract static class Turn<T> {
        final Object name;
        final int quantum;
        long deficit;

        Turn(Object name, int quantum) {
            this.name = name;
            this.quantum = quantum;
        }

        abstract boolean isEmpty();

        /** Bytes of what {@link #take} would give. Not while empty. */
        abstract long nextBytes();

        abstract T take();

        abstract int remove(Predicate<? super T> which);

        abstract void forEach(Consumer<? super T> sink);

        abstract void heads(Consumer<? super T> sink);
    }

    private static final class Items<T> extends Turn<T> {
        private record Item<T>(T value, long bytes) {}

        private final ArrayDeque<Item<T>> waiting = new ArrayDeque<>();

        Items(Object name, int quantum) {
            super(name, quantum);
        }

        void add(T value, long bytes) {
            waiting.add(new Item<>(value, bytes));
        }

        @Override
        boolean isEmpty() {
            return waiting.isEmpty();
        }

        @Override
        long nextBytes() {
            return waiting.element().bytes();
        }

        @Override
        T take() {
            return waiting.remove().value();
        }

        @Override
        int remove(Predicate<? super T> which) {
            int before = waiting.size();
            waiting.removeIf(item -> which.test(item.value()));
            return before - waiting.size();
        }

        @Override
        void forEach(Consumer<? super T> sink) {
            waiting.forEach(item -> sink.accept(item.value()));
        }

        @Override
        void heads(Consumer<? super T> sink) {
            sink.accept(waiting.element().value());
        }
    }

    private static final class Ring<T> extends Turn<T> {
        private final Map<Object, Turn<T>> byName = new HashMap<>();
        /** Those with something to take, the one whose turn it is in front. */
        private final ArrayDeque<Turn<T>> turns = new ArrayDeque<>();
        /** Whether the one in front has had the quantum of this turn. */
        private boolean begun;

        Ring(Object name, int quantum) {
            super(name, quantum);
        }

        void add(T value, long bytes, Object[] path, int depth, Shares shares) {
            Object child = path[depth];
            Turn<T> turn = byName.get(child);
            if (turn == null) {
                int worth = shares.quantum(depth, child);
                turn = depth == path.length - 1 ? new Items<>(child, worth) : new Ring<>(child, worth);
                byName.put(child, turn);
                turns.add(turn);
            }
            if (turn instanceof Ring<T> ring) {
                ring.add(value, bytes, path, depth + 1, shares);
            } else if (turn instanceof Items<T> items) {
                items.add(value, bytes);
            }
        }

        void giveBack(long bytes, Object[] path, int depth) {
            Turn<T> turn = byName.get(path[depth]);
            if (turn != null) {
                turn.deficit += bytes;
                if (turn instanceof Ring<T> ring) {
                    ring.giveBack(bytes, path, depth + 1);
                }
            }
        }

        @Override
        boolean isEmpty() {
            return turns.isEmpty();
        }

        /** Moves on to the one that can afford its next item. */
        private Turn<T> front() {
            while (true) {
                Turn<T> first = turns.element();
                if (!begun) {
                    first.deficit += first.quantum;
                    begun = true;
                }
                if (first.nextBytes() <= first.deficit) {
                    return first;
                }
                turns.add(turns.remove());
                begun = false;
            }
        }

        @Override
        long nextBytes() {
            return front().nextBytes();
        }

        @Override
        T take() {
            Turn<T> first = front();
            first.deficit -= first.nextBytes();
            T item = first.take();
            if (first.isEmpty()) {
                turns.remove();
                byName.remove(first.name);
                begun = false;
            }
            return item;
        }

        @Override
        int remove(Predicate<? super T> which) {
            int removed = 0;
            for (Turn<T> turn : List.copyOf(turns)) {
                removed += removeFrom(turn, which);
            }
            return removed;
        }

        private int removeFrom(Turn<T> turn, Predicate<? super T> which) {
            int removed = turn.remove(which);
            if (turn.isEmpty()) {
                begun &= turns.element() != turn;
                turns.remove(turn);
                byName.remove(turn.name);
            }
            return removed;
        }

        int removeOf(Object name, Predicate<? super T> which) {
            Turn<T> turn = byName.get(name);
            return turn == null ? 0 : removeFrom(turn, which);
        }

        @Override
        void forEach(Consumer<? super T> sink) {
            turns.forEach(turn -> turn.forEach(sink));
        }

        @Override
        void heads(Consumer<? super T> sink) {
            turns.forEach(turn -> turn.heads(sink));
        }

        @Nullable
        Turn<T> named(Object name) {
            return byName.get(name);
        }
    }

    /** How much more than others a name gets. */
    public interface Weights {
        Weights EQUAL = (level, name) -> 1;

        /** From 1; asked for a name when its first item comes. */
        int of(int level, Object name);
    }

    private record Shares(int quantumBytes, Weights weights) {
        int quantum(int level, Object name) {
            return quantumBytes * Math.max(1, weights.of(level, name));
        }
    }

    private final Ring<T> root = new Ring<>("", 0);
    private final Shares shares;
    private int size;

    /** @param quantumBytes of a turn of weight 1 */
    public FairQueue(int quantumBytes, Weights weights) {
        shares = new Shares(quantumBytes, weights);
    }

    /** @param path at least one name, and always as many */
    public void add(T item, long bytes, Object... path) {
        root.add(item, bytes, path, 0, shares);
        size++;
    }

    /** An item that was taken cost so much less than it was said to, which those of its path that have more waiting may use. */
    public void giveBack(long bytes, Object... path) {
        root.giveBack(bytes, path, 0);
    }

    /** The next item in turn, or null. */
    public @Nullable T poll() {
        if (size == 0) {
            return null;
        }
        size--;
        return root.take();
    }

    /** Takes out what is to go of what waits under a first name, in any order. */
    public void remove(Object first, Predicate<? super T> which) {
        size -= root.removeOf(first, which);
    }

    /** Shows what waits under a first name, in any order. */
    public void forEach(Object first, Consumer<? super T> sink) {
        Turn<T> turn = root.named(first);
        if (turn != null) {
            turn.forEach(sink);
        }
    }

    /** The first names under which something waits. */
    public void names(Consumer<Object> sink) {
        root.turns.forEach(turn -> sink.accept(turn.name));
    }

    /** Of what waits under a first name, what is in front of each of its queues. */
    public void heads(Object first, Consumer<? super T> sink) {
        Turn<T> turn = root.named(first);
        if (turn != null) {
            turn.heads(sink);
        }
    }

    public int size() {
        return size;
    }
}
