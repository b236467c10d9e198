package io.spillway.broker.log;

/** One extent as a segment's footer describes it; times in ms, bytes of batches, tableAt a position in the footer. */
record FooterRow(
        int partitionId,
        boolean relocated,
        long baseOffset,
        long endOffset,
        long minTimeMs,
        long maxTimeMs,
        long bytes,
        int rows,
        long tableAt,
        int tableCrc) {}
