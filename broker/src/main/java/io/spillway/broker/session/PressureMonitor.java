package io.spillway.broker.session;

import io.spillway.broker.base.Published;
import io.spillway.broker.diagnose.Surroundings;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.flow.Pressures;
import io.spillway.broker.shard.Shard;
import io.spillway.broker.shard.ShardLoad;
import io.spillway.protocol.v1.PressureReason;
import io.spillway.protocol.v1.PressureState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches what publishes have to wait for, ten times a second, and tells each failure domain how it stands: the higher of
 * its own pressure (its queue, its memory) and the broker's (disk, replication). So a domain that floods is slowed down,
 * and its neighbours are not. {@link #tick} is confined to one thread; the figures are thread-safe.
 */
public final class PressureMonitor {
    /** The interval of {@link #tick} in ms. */
    public static final int TICK_MS = 100;

    private static final Logger LOG = LoggerFactory.getLogger(PressureMonitor.class);
    /** A state that lasts is told again after so many ticks, long before it would lose its validity. */
    private static final int REPEAT_TICKS = 10;

    private static final int FULL_PM = 1_000;

    private final SessionContext context;
    private final List<Shard> shards;
    private final long minFreeBytes;
    private final Pressures broker = Pressures.ofBroker();
    private final Map<String, Pressures> domains = new HashMap<>();
    private final Published<Map<PressureReason, Integer>> levels = new Published<>(Map.of());
    private final Published<PressureSignal> worst = new Published<>(PressureSignal.NONE);
    private final Published<List<Surroundings.Pressure>> measured = new Published<>(List.of());
    private final Published<PressureSignal> ofBroker = new Published<>(PressureSignal.NONE);
    private long seq;
    private int tick;

    /** @param minFreeBytes below which nothing is published */
    public PressureMonitor(SessionContext context, List<Shard> shards, long minFreeBytes) {
        this.context = context;
        this.shards = List.copyOf(shards);
        this.minFreeBytes = minFreeBytes;
    }

    /** The level of each signal that is not at ease: 1 = ELEVATED to 4 = READ_ONLY; the highest of all domains. */
    public int level(PressureReason reason) {
        return levels.get().getOrDefault(reason, 0);
    }

    /** The highest pressure there is, of the broker or of one domain. */
    public PressureSignal worst() {
        return worst.get();
    }

    /** The pressure that concerns everybody. */
    public PressureSignal ofBroker() {
        return ofBroker.get();
    }

    /** What is above its line, the worst first, with what was measured. */
    public List<Surroundings.Pressure> measured() {
        return measured.get();
    }

    /** How each failure domain that has sessions stands. */
    public Map<String, PressureSignal> ofDomains() {
        Map<String, PressureSignal> signals = new TreeMap<>();
        context.publishBudget.parts().forEach((name, part) -> signals.put(name, part.signal.get()));
        return signals;
    }

    public void tick() {
        tick++;
        List<ShardLoad> loads = new ArrayList<>(shards.size());
        shards.forEach(shard -> loads.add(shard.load()));
        readBroker(loads);
        Map<String, PublishBudget.Part> known = context.publishBudget.parts();
        domains.keySet().removeIf(name -> !known.containsKey(name));
        known.forEach((name, part) -> {
            Pressures own = domains.computeIfAbsent(name, unknown -> Pressures.ofDomain());
            readDomain(own, name, part, loads);
            tell(name, part, own);
        });
        publishLevels();
        publishWorst(known);
        publishMeasured();
    }

    private void publishWorst(Map<String, PublishBudget.Part> known) {
        PressureSignal highest = new PressureSignal(seq, broker.state(), broker.reasons(), PressureSignal.BROKER);
        ofBroker.set(highest);
        for (PublishBudget.Part part : known.values()) {
            PressureSignal own = part.signal.get();
            highest = own.state().getNumber() > highest.state().getNumber() ? own : highest;
        }
        worst.set(highest);
    }

    private void publishMeasured() {
        List<Surroundings.Pressure> now = new ArrayList<>();
        broker.readings(
                (reason, level, value, line) -> now.add(measured(PressureSignal.BROKER, reason, level, value, line)));
        domains.forEach((name, own) -> own.readings(
                (reason, level, value, line) -> now.add(measured("domain:" + name, reason, level, value, line))));
        if (!now.isEmpty() || !measured.get().isEmpty()) {
            now.sort(Comparator.comparingInt(each -> -each.level()));
            measured.set(List.copyOf(now));
        }
    }

    private static Surroundings.Pressure measured(
            String scope, PressureReason reason, int level, long value, long line) {
        return new Surroundings.Pressure(
                scope,
                reason.name().substring("R_".length()),
                String.valueOf(PressureState.forNumber(level)).substring("P_".length()),
                level,
                value,
                line,
                Pressures.unit(reason));
    }

    private void readBroker(List<ShardLoad> loads) {
        long diskPm = 0;
        boolean isWritable = true;
        for (Shard shard : shards) {
            long freeBytes = Math.max(1, shard.logStats().freeDiskBytes());
            diskPm = Math.max(diskPm, minFreeBytes * FULL_PM / freeBytes);
            isWritable &= shard.writeState().writable();
        }
        if (isWritable) {
            broker.writable(Math.min(diskPm, FULL_PM));
        } else {
            broker.readOnly();
        }
        broker.tick(PressureReason.R_DISK_LATENCY, highest(loads, true));
        broker.tick(PressureReason.R_REPLICATION, highest(loads, false));
    }

    private static int highest(List<ShardLoad> loads, boolean ofSyncs) {
        int highest = 0;
        for (ShardLoad load : loads) {
            highest = Math.max(highest, ofSyncs ? load.syncMs() : Pressures.lag(load.stalledMs(), load.lagMs()));
        }
        return highest;
    }

    private void readDomain(Pressures own, String name, PublishBudget.Part part, List<ShardLoad> loads) {
        int waitedMs = 0;
        int busyPm = 0;
        for (ShardLoad load : loads) {
            int waitedHereMs = load.waitedMs().getOrDefault(name, 0);
            waitedMs = Math.max(waitedMs, waitedHereMs);
            busyPm = Math.max(busyPm, Pressures.busy(load.cpuPm(), waitedHereMs));
        }
        own.tick(PressureReason.R_QUEUE_DELAY, waitedMs);
        own.tick(PressureReason.R_CPU, busyPm);
        own.tick(PressureReason.R_MEMORY, context.publishBudget.usedPm(part));
    }

    private void tell(String name, PublishBudget.Part part, Pressures own) {
        PressureSignal before = part.signal.get();
        PressureSignal now = signal(name, own);
        boolean isNew = !now.isAs(before);
        if (isNew) {
            part.signal.set(now);
            LOG.info(
                    "event=pressure scope={} domain={} from={} to={} why={} next=\"docs/operations/quotas.md\"",
                    now.scope(),
                    name,
                    before.state(),
                    now.state(),
                    now.reasons().isEmpty() ? "\"over: " + before.reasons() + "\"" : now.reasons());
        }
        if (isNew || (now.state() != PressureState.P_NORMAL && tick % REPEAT_TICKS == 0)) {
            context.byInstance.values().forEach(session -> session.tellPressure(part, now, isNew));
        }
    }

    private PressureSignal signal(String name, Pressures own) {
        boolean isOwn = own.state().getNumber() > broker.state().getNumber();
        if (own.isCalm() && broker.isCalm()) {
            return new PressureSignal(++seq, PressureState.P_NORMAL, List.of(), PressureSignal.BROKER);
        }
        List<PressureReason> reasons = new ArrayList<>((isOwn ? own : broker).reasons());
        reasons.addAll((isOwn ? broker : own).reasons());
        return new PressureSignal(
                ++seq, (isOwn ? own : broker).state(), reasons, isOwn ? "domain:" + name : PressureSignal.BROKER);
    }

    private void publishLevels() {
        Map<PressureReason, Integer> now = new EnumMap<>(PressureReason.class);
        broker.levels((reason, level) -> now.merge(reason, level, Math::max));
        domains.values().forEach(each -> each.levels((reason, level) -> now.merge(reason, level, Math::max)));
        if (!Objects.equals(now, levels.get())) {
            levels.set(Map.copyOf(now));
        }
    }
}
