package io.spillway.protocol;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC-32C (Castagnoli), the one checksum of the protocol and the log; java.util.zip's is a CPU intrinsic. */
public final class Crc {
    private Crc() {}

    public static int crc32c(ByteBuf buffer, int index, int bytes) {
        CRC32C crc = new CRC32C();
        update(crc, buffer, index, bytes);
        return (int) crc.getValue();
    }

    public static int crc32c(ByteBuffer buffer) {
        CRC32C crc = new CRC32C();
        crc.update(buffer);
        return (int) crc.getValue();
    }

    public static int crc32c(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        return (int) crc.getValue();
    }

    public static void update(CRC32C crc, ByteBuf buffer, int index, int bytes) {
        if (buffer.hasArray()) {
            crc.update(buffer.array(), buffer.arrayOffset() + index, bytes);
        } else if (buffer.nioBufferCount() == 1) {
            crc.update(buffer.nioBuffer(index, bytes));
        } else {
            for (ByteBuffer part : buffer.nioBuffers(index, bytes)) {
                crc.update(part);
            }
        }
    }
}
