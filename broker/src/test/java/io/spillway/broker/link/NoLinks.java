package io.spillway.broker.link;

import io.spillway.broker.audit.Audit;
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
        Published<TopicCatalog> catalog = new Published<>(TopicCatalog.EMPTY);
        SplittableRandom random = new SplittableRandom(1);
        return new LinkService(
                List.of(),
                catalog,
                new Audit(catalog, List.of(), Clock.SYSTEM, random),
                Clock.SYSTEM,
                random,
                instance -> false,
                () -> "127.0.0.1:7400",
                SourceAccess.OPEN);
    }
}
