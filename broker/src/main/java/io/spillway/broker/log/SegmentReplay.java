package io.spillway.broker.log;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Visits the entries of one segment, without copies made by relocation; what is damaged is logged and left out. */
final class SegmentReplay {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentReplay.class);

    private SegmentReplay() {}

    static void run(Segment segment, long fromSequence, EntryVisitor visitor) throws IOException {
        try (FileChannel channel = FileChannel.open(segment.file(), StandardOpenOption.READ);
                SegmentScanner scanner = new SegmentScanner(
                        channel, Math.min(segment.usedBytes(), channel.size()), segment.baseSequence)) {
            while (scanner.next()) {
                if (scanner.sequence() >= fromSequence && !scanner.relocated()) {
                    visit(segment, scanner, visitor);
                }
            }
            for (SegmentScanner.Hole hole : scanner.holes()) {
                LOG.error(
                        "what=\"entries skipped in replay\" segment={} position={} from={} to={} why=\"they cannot be read\""
                                + " next=\"run spillway log verify\"",
                        segment.file(),
                        hole.from(),
                        hole.firstSequence(),
                        hole.nextSequence());
            }
        }
    }

    private static void visit(Segment segment, SegmentScanner scanner, EntryVisitor visitor) {
        byte[] state = null;
        if (scanner.stateBytes() > 0) {
            state = new byte[scanner.stateBytes()];
            scanner.buffer().getBytes(scanner.stateAt(), state);
        }
        ByteBuf batch = null;
        if (scanner.batchBytes() > 0) {
            if (scanner.batchIntact()) {
                batch = scanner.buffer().slice(scanner.batchAt(), scanner.batchBytes());
            } else {
                LOG.error(
                        "what=\"corrupt batch in replay\" segment={} position={} sequence={} partition={}"
                                + " why=\"its checksum does not match\" next=\"run spillway log verify\"",
                        segment.file(),
                        scanner.position(),
                        scanner.sequence(),
                        scanner.partitionId());
            }
        }
        visitor.onEntry(scanner.sequence(), state, scanner.partitionId(), batch);
    }
}
