package io.spillway.broker.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Finds out whether something was written behind the last complete entry of a segment. */
final class TornBytes {
    private static final int PIECE_BYTES = 1 << 20;
    /** Chronicle's end mark: a length word and the text EOF. */
    private static final int END_MARK_BYTES = 16;

    private TornBytes() {}

    /** Bytes from the place to the last one that is not zero; 0 when there is only Chronicle's own end mark or index. */
    static long behind(Path file, long place) throws IOException {
        long last = place;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
            for (long at = place; at < channel.size(); at += PIECE_BYTES) {
                piece.clear();
                int bytes = channel.read(piece, at);
                for (int i = bytes - 1; i >= 0; i--) {
                    if (piece.get(i) != 0) {
                        last = at + i + 1;
                        break;
                    }
                }
            }
        }
        return last - place <= END_MARK_BYTES ? 0 : last - place;
    }
}
