package io.spillway.broker.log;

/**
 * Something wrong that was found in the files of a log.
 *
 * @param kind what kind of damage
 * @param segment number of the segment, or -1 when the problem is not in one
 * @param position byte position in the segment file, or -1
 * @param what what was found, naming sequences, partition and offsets where they are known
 * @param nextStep what a person should do, or "nothing to do"
 */
public record LogProblem(Kind kind, int segment, long position, String what, String nextStep) {
    /** Kinds of damage; the names are part of the output of {@code log verify}. */
    public enum Kind {
        /** Bytes after the last complete entry of a log that was not closed; never acknowledged as synced. */
        TORN_TAIL,
        /** Bytes inside a segment that are no valid entry although valid entries follow. */
        DAMAGED_RANGE,
        /** The batch of an otherwise good entry does not match its CRC32C. */
        CORRUPT_BATCH,
        /** Entries end before the place where they must. */
        TRUNCATED_SEGMENT,
        /** A segment the manifest lists is not there. */
        MISSING_SEGMENT,
        /** A segment file without content. */
        EMPTY_SEGMENT,
        /** A file that is none of ours, or unreadable. */
        UNREADABLE_FILE,
        /** A footer is missing or damaged; it was or can be rebuilt from its segment. */
        BAD_FOOTER,
        /** The manifest is missing or damaged; it was or can be rebuilt from the segments. */
        BAD_MANIFEST,
        /** A snapshot is damaged; the one before it is used. */
        BAD_SNAPSHOT,
        /** Offsets of a partition that must exist do not. */
        OFFSET_GAP,
        /** The newest synced entries are gone. */
        LOST_TAIL
    }

    @Override
    public String toString() {
        return "kind=" + kind + " segment=" + segment + " position=" + position + " what=\"" + what + "\" next=\""
                + nextStep + "\"";
    }
}
