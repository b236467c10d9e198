package io.spillway.broker.shard;

import io.spillway.protocol.Crc;
import io.spillway.protocol.RecordView;
import java.util.zip.CRC32C;

/** What tells two records under one idempotency key apart: CRC32C over their keys' and values' bytes and lengths. */
final class Fingerprint {
    private Fingerprint() {}

    static int of(RecordView record) {
        CRC32C crc = new CRC32C();
        updateInt(crc, record.keyBytes());
        Crc.update(crc, record.buffer(), record.keyAt(), record.keyBytes());
        updateInt(crc, record.valueBytes());
        Crc.update(crc, record.buffer(), record.valueAt(), record.valueBytes());
        return (int) crc.getValue();
    }

    private static void updateInt(CRC32C crc, int value) {
        crc.update(value >>> 24);
        crc.update(value >>> 16);
        crc.update(value >>> 8);
        crc.update(value);
    }
}
