package io.spillway.broker.shard;

import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * What went wrong with single items of a request. An answer must fit a header however many items fail: neighbours with
 * one error become a range, and only the first error of each code is told at length.
 */
final class ItemErrors {
    private final List<ItemError> errors = new ArrayList<>();
    private final BitSet toldCodes = new BitSet();
    private Error lastAdded = Error.getDefaultInstance();

    /** Items come in rising order. */
    void add(int index, Error error) {
        int last = errors.size() - 1;
        if (last >= 0 && error.equals(lastAdded) && end(errors.get(last)) == index) {
            ItemError range = errors.get(last);
            errors.set(last, range.toBuilder().setCount(range.getCount() + 1).build());
            return;
        }
        errors.add(ItemError.newBuilder()
                .setIndex(index)
                .setCount(1)
                .setError(toldCodes.get(error.getCode()) ? brief(error) : error)
                .build());
        toldCodes.set(error.getCode());
        lastAdded = error;
    }

    private static int end(ItemError range) {
        return range.getIndex() + range.getCount();
    }

    private static Error brief(Error error) {
        return Error.newBuilder()
                .setCode(error.getCode())
                .setReason(error.getReason())
                .setRetry(error.getRetry())
                .putAllMetadata(error.getMetadataMap())
                .build();
    }

    List<ItemError> list() {
        return errors;
    }
}
