package io.spillway.broker.shard;

import io.spillway.protocol.Crc;
import io.spillway.protocol.RecordView;
import java.util.zip.CRC32C;

/** What tells two records under one idempotency key apart: CRC32C over their keys' and values' bytes and lengths. */
final class Fingerprint {
    private final CRC32C crc = new CRC32C();

    int of(RecordView record) {
        crc.reset();
        updateInt(record.keyBytes());
        if (record.keyBytes() > 0) {
            Crc.update(crc, record.buffer(), record.keyAt(), record.keyBytes());
        }
        updateInt(record.valueBytes());
        Crc.update(crc, record.buffer(), record.valueAt(), record.valueBytes());
        return (int) crc.getValue();
    }

    private void updateInt(int value) {
        crc.update(value >>> 24);
        crc.update(value >>> 16);
        crc.update(value >>> 8);
        crc.update(value);
    }
}
