package io.spillway.broker.admin;

import io.spillway.broker.audit.Audit;
import io.spillway.broker.auth.Access;
import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.diagnose.NodeFacts;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.flow.DegradationStep;
import io.spillway.broker.flow.Quotas;
import io.spillway.broker.link.NoLinks;
import io.spillway.broker.session.AccessSettings;
import io.spillway.broker.session.ChaosControl;
import io.spillway.broker.session.Degradation;
import io.spillway.broker.session.QuotaSettings;
import io.spillway.broker.session.ToggleSettings;
import io.spillway.broker.shard.Mailbox;
import io.spillway.broker.toggles.Toggles;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** What is operated where only the cluster is of interest. */
public final class TestOperated {
    private TestOperated() {}

    public static Operated cluster(@Nullable ClusterControl cluster) {
        NodeFacts node =
                new NodeFacts("n1", "", "", List.of(), List.of(), 0, List.of(), List.of(), Surroundings.NO_CLASS);
        return observed(cluster, new Observed(() -> node, List.of(), () -> TopicCatalog.EMPTY, Clock.SYSTEM));
    }

    static Operated observed(@Nullable ClusterControl cluster, Observed observed) {
        Published<TopicCatalog> catalog = new Published<>(TopicCatalog.EMPTY);
        Audit audit = new Audit(catalog, List.of(), Clock.SYSTEM, new SplittableRandom(1));
        return new Operated(
                cluster,
                NoLinks.service(),
                new QuotaSettings(new Mailbox(), audit, () -> Quotas.NONE),
                new ToggleSettings(new Mailbox(), audit, () -> Toggles.NONE, Clock.SYSTEM),
                new ChaosControl(
                        new ChaosControl.Terms("n1", false), audit, Clock.SYSTEM, new SplittableRandom(1), now -> {}),
                new AccessSettings(new Mailbox(), audit, () -> Access.NONE),
                HttpDoor.OPEN,
                () -> new Degradation.View(DegradationStep.NORMAL, "", 0),
                observed,
                null);
    }
}
