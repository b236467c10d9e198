package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/** The last points of a few figures, at equal intervals; four bytes a figure and point. Confined to one thread. */
final class Series {
    private final List<String> names;
    private final float[][] figures;
    private int next;
    private int filled;

    Series(List<String> names, int points) {
        this.names = List.copyOf(names);
        figures = new float[names.size()][points];
    }

    /** @param point in the order of the names */
    void add(double... point) {
        for (int i = 0; i < figures.length; i++) {
            figures[i][next] = (float) point[i];
        }
        next = (next + 1) % figures[0].length;
        filled = Math.min(filled + 1, figures[0].length);
    }

    int size() {
        return filled;
    }

    /** The last points of one figure, the oldest first. */
    float[] last(int figure, int count) {
        int points = Math.min(count, filled);
        float[] last = new float[points];
        for (int i = 0; i < points; i++) {
            last[i] = figures[figure][Math.floorMod(next - points + i, figures[figure].length)];
        }
        return last;
    }

    /** An array for each figure. */
    void writeTo(JsonGenerator json) throws IOException {
        for (int i = 0; i < figures.length; i++) {
            json.writeArrayFieldStart(names.get(i));
            for (float value : last(i, filled)) {
                json.writeNumber(rounded(value));
            }
            json.writeEndArray();
        }
    }

    /** What is drawn needs three digits. */
    static double rounded(double value) {
        return value >= 100 ? Math.rint(value) : Math.rint(value * 100) / 100;
    }
}
