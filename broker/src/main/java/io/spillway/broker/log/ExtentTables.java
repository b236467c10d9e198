package io.spillway.broker.log;

import java.util.ArrayDeque;

/**
 * Loads the tables of extents from footers and keeps the ones loaded last, at most {@value #MAX_LOADED}. A cursor that
 * still reads one that was dropped here just keeps its reference. Confined to the shard thread.
 */
final class ExtentTables {
    private static final int MAX_LOADED = 2048;

    private final TableLoader loader;
    private final ArrayDeque<Extent> loaded = new ArrayDeque<>();

    /** Gets the table of a closed segment's extent from disk. */
    interface TableLoader {
        long[] load(Extent extent);
    }

    ExtentTables(TableLoader loader) {
        this.loader = loader;
    }

    long[] of(Extent extent) {
        if (!extent.loaded()) {
            extent.load(loader.load(extent));
            keep(extent);
        }
        return extent.table();
    }

    /** Takes charge of a table that is in memory though the footer has it. */
    void keep(Extent extent) {
        loaded.addLast(extent);
        if (loaded.size() > MAX_LOADED) {
            loaded.removeFirst().unload();
        }
    }

    /** A copy of the extent of which only offsets [from, to) count. */
    Extent part(Extent extent, long from, long to) {
        if (from == extent.from() && to == extent.to()) {
            return extent;
        }
        long[] table = of(extent);
        Extent part = new Extent(
                extent.segment,
                new FooterRow(
                        extent.partitionId,
                        extent.relocated,
                        extent.baseOffset,
                        extent.endOffset(),
                        extent.minTimeMs(),
                        extent.maxTimeMs(),
                        extent.totalBytes(),
                        extent.rows(),
                        extent.tableAt(),
                        extent.tableCrc()));
        part.load(table);
        part.narrow(from, to);
        return part;
    }
}
