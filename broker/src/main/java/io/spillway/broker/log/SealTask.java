package io.spillway.broker.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts a segment that is no longer written into its final form: cut to what it uses, moved to the closed ones, with a
 * footer beside it. Nothing is lost when this fails or is interrupted by a crash: the segment is read from where it is,
 * and recovery does it again. Run on the sync thread; its result belongs to the shard thread afterwards.
 */
final class SealTask {
    /** Kept behind the last entry, where Chronicle has its end mark. */
    private static final int TAIL_BYTES = 64;

    final Segment segment;
    private final LogFiles files;
    private final Path place;
    private List<FooterRow> rows = List.of();
    private @Nullable IOException failure;

    SealTask(Segment segment, LogFiles files) {
        this.segment = segment;
        this.files = files;
        this.place = files.segment(segment.number);
    }

    void run() {
        failure = null;
        try {
            segment.channel().truncate(segment.usedBytes() + TAIL_BYTES);
            if (!Files.exists(place)) {
                Files.move(segment.file(), place, StandardCopyOption.ATOMIC_MOVE);
            }
            rows = SegmentFooter.write(files.footer(segment.number), segment);
        } catch (IOException e) {
            failure = e;
        }
    }

    /** The footer, null when there is none yet. */
    @Nullable
    Path footer() {
        return failure == null ? files.footer(segment.number) : null;
    }

    /** Hands the result to the index, back on the shard thread; the failure when there was one. */
    @Nullable
    IOException finish(ExtentTables tables) {
        if (failure == null) {
            List<Extent> extents = segment.extents();
            for (int i = 0; i < rows.size(); i++) {
                extents.get(i).stored(rows.get(i).tableAt(), rows.get(i).tableCrc());
                tables.keep(extents.get(i));
            }
            segment.sealed(place);
        }
        return failure;
    }
}
