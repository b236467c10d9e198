package io.spillway.broker.log;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;

/**
 * Settings of a shard's log.
 *
 * @param segmentBytes size of a segment file, bytes; [256 KiB, 1 GiB], default 64 MiB. The unit in which disk is taken
 *     and given back. A batch must fit a segment less 16 KiB.
 * @param minFreeBytes free space of the file system below which publishing is refused, bytes; [0, 1 TiB], default
 *     256 MiB
 * @param segmentMaxAgeMs age of its first entry at which a segment is closed though it is not full, so that what
 *     expired in it can be freed, ms; [1 s, 30 d], default 10 min
 * @param relocateBelowPermille a closed segment whose live batches fill less than this share of segmentBytes has them
 *     moved forward and is deleted, per mille; [0, 900], default 250; 0 = never
 */
public record LogConfig(int segmentBytes, long minFreeBytes, long segmentMaxAgeMs, int relocateBelowPermille) {
    private static final long DAY_MS = 86_400_000L;

    public LogConfig {
        check("segmentBytes", segmentBytes, 256 << 10, 1 << 30);
        check("minFreeBytes", minFreeBytes, 0, 1L << 40);
        check("segmentMaxAgeMs", segmentMaxAgeMs, 1000, 30 * DAY_MS);
        check("relocateBelowPermille", relocateBelowPermille, 0, 900);
    }

    public static LogConfig defaults() {
        return new LogConfig(64 << 20, 256L << 20, 600_000, 250);
    }

    public LogConfig withSegmentBytes(int bytes) {
        return new LogConfig(bytes, minFreeBytes, segmentMaxAgeMs, relocateBelowPermille);
    }

    public LogConfig withMinFreeBytes(long bytes) {
        return new LogConfig(segmentBytes, bytes, segmentMaxAgeMs, relocateBelowPermille);
    }

    public LogConfig withSegmentMaxAgeMs(long ms) {
        return new LogConfig(segmentBytes, minFreeBytes, ms, relocateBelowPermille);
    }

    public LogConfig withRelocateBelowPermille(int permille) {
        return new LogConfig(segmentBytes, minFreeBytes, segmentMaxAgeMs, permille);
    }

    private static void check(String key, long value, long least, long most) {
        if (value < least || value > most) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "log." + key + " is " + value,
                    "the allowed range is " + least + " to " + most,
                    "correct the configuration");
        }
    }
}
