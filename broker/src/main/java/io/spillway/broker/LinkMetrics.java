package io.spillway.broker;

import static io.spillway.broker.metrics.MetricNames.LINK_BYTES;
import static io.spillway.broker.metrics.MetricNames.LINK_LAG_RECORDS;
import static io.spillway.broker.metrics.MetricNames.LINK_LAG_SECONDS;
import static io.spillway.broker.metrics.MetricNames.LINK_STATE;
import static io.spillway.broker.metrics.MetricNames.LINK_TROUBLES;

import io.spillway.broker.base.Clock;
import io.spillway.broker.link.LinkView;
import io.spillway.broker.metrics.Meters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** Shows the links that end at this broker as metrics. Thread-safe. */
final class LinkMetrics {
    private static final double MS_PER_SECOND = 1_000;

    private final Supplier<List<LinkView>> views;
    private final Clock clock;
    private final Meters.Rows records;
    private final Meters.Rows seconds;
    private final Meters.Rows bytes;
    private final Meters.Rows troubles;
    private final Meters.Rows states;

    LinkMetrics(Meters meters, Supplier<List<LinkView>> views, Clock clock) {
        this.views = views;
        this.clock = clock;
        records = meters.rows(LINK_LAG_RECORDS);
        seconds = meters.rows(LINK_LAG_SECONDS);
        bytes = meters.rows(LINK_BYTES);
        troubles = meters.rows(LINK_TROUBLES);
        states = meters.rows(LINK_STATE);
    }

    /** These links are there now. */
    void links(List<String> names) {
        records.set(rows(names, LinkView::lagRecords));
        seconds.set(rows(names, view -> view.lagMs(clock.nowMs()) / MS_PER_SECOND));
        bytes.set(rows(names, LinkView::bytes));
        troubles.set(rows(names, LinkMetrics::troubles));
        Map<List<String>, DoubleSupplier> all = new LinkedHashMap<>();
        for (String name : names) {
            for (LinkView.State state : LinkView.State.values()) {
                all.put(
                        List.of(name, state.name().toLowerCase(Locale.ROOT)),
                        () -> figure(name, view -> view.state() == state ? 1 : 0));
            }
        }
        states.set(all);
    }

    private static double troubles(LinkView view) {
        return (view.why().isEmpty() ? 0 : 1)
                + view.topics().stream().filter(topic -> !topic.why().isEmpty()).count();
    }

    private Map<List<String>, DoubleSupplier> rows(List<String> names, ToDoubleFunction<LinkView> which) {
        Map<List<String>, DoubleSupplier> rows = new LinkedHashMap<>();
        names.forEach(name -> rows.put(List.of(name), () -> figure(name, which)));
        return rows;
    }

    private double figure(String name, ToDoubleFunction<LinkView> which) {
        return views.get().stream()
                .filter(view -> view.link().getName().equals(name))
                .mapToDouble(which)
                .findFirst()
                .orElse(Double.NaN);
    }
}
