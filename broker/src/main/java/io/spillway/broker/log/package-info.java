/**
 * The durable log of a shard on Chronicle Queue: append, sync, read by offset, recover, expire. The only package that
 * imports Chronicle; it knows entries, partitions and offsets, and nothing of topics, groups or producers.
 *
 * <pre>
 *  shard-0/
 *    active/                Chronicle's directory: the segment being written and the prepared next one
 *    segments/NNNNNNNNNN.cq4  closed segments, cut to what they use
 *    segments/NNNNNNNNNN.idx  their footers: which batches they hold and where
 *    snapshots/             folds of the log, the newest two
 *    manifest               which closed segments exist; the clean marker
 *    synced                 the sequence up to which everything was forced
 * </pre>
 */
@NullMarked
package io.spillway.broker.log;

import org.jspecify.annotations.NullMarked;
