package io.spillway.broker.link;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import java.util.List;
import java.util.SplittableRandom;

/** For what needs links and does not use any. */
public final class NoLinks {
    private NoLinks() {}

    /** Not started: no shard is asked. */
    public static LinkService service() {
        return new LinkService(
                List.of(),
                new Published<>(TopicCatalog.EMPTY),
                Clock.SYSTEM,
                new SplittableRandom(1),
                "n1",
                () -> "127.0.0.1:7400");
    }
}
