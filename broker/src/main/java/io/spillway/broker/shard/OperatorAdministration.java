package io.spillway.broker.shard;

/** Changes what operators set. Confined to the shard thread. */
final class OperatorAdministration {
    private final QuotaAdministration quotas;
    private final ToggleAdministration toggles;
    private final AccessAdministration access;

    OperatorAdministration(ShardState state, Journal journal) {
        quotas = new QuotaAdministration(state, journal);
        toggles = new ToggleAdministration(state, journal);
        access = new AccessAdministration(state, journal);
    }

    void change(ShardCommand.Operating command, long nowMs) {
        if (command instanceof ShardCommand.SetQuota set) {
            quotas.set(set);
        } else if (command instanceof ShardCommand.RemoveQuota remove) {
            quotas.remove(remove);
        } else if (command instanceof ShardCommand.ChangeToggle change) {
            toggles.change(change, nowMs);
        } else if (command instanceof ShardCommand.ChangeAccess change) {
            access.change(change, nowMs);
        }
    }
}
