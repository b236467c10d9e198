package io.spillway.broker.admin;

import io.spillway.broker.link.LinkService;
import io.spillway.broker.session.AccessSettings;
import io.spillway.broker.session.ChaosControl;
import io.spillway.broker.session.Degradation;
import io.spillway.broker.session.QuotaSettings;
import io.spillway.broker.session.ToggleSettings;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is operated over HTTP.
 *
 * @param cluster null: the broker stands alone
 * @param links those that end here
 * @param observed what is looked at when somebody asks what is wrong
 * @param console null: there is none
 */
public record Operated(
        @Nullable ClusterControl cluster,
        LinkService links,
        QuotaSettings quotas,
        ToggleSettings toggles,
        ChaosControl chaos,
        AccessSettings access,
        HttpDoor door,
        Supplier<Degradation.View> degradation,
        Observed observed,
        @Nullable ConsoleSource console) {}
