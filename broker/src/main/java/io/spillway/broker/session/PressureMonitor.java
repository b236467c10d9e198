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
import java.util.function.ToIntFunction;
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
    private List<ShardLoad> loads;
    private List<ShardLoad> loadsBefore;
    private long seq;
    private int tick;

    /** @param minFreeBytes below which nothing is published */
    public PressureMonitor(SessionContext context, List<Shard> shards, long minFreeBytes) {
        this.context = context;
        this.shards = List.copyOf(shards);
        this.minFreeBytes = minFreeBytes;
        loads = shards.stream().map(Shard::load).toList();
        loadsBefore = loads;
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
        loadsBefore = loads;
        loads = shards.stream().map(Shard::load).toList();
        readBroker();
        Map<String, PublishBudget.Part> known = context.publishBudget.parts();
        Map<String, Long> memoryPm = context.publishBudget.endInterval();
        domains.keySet().removeIf(name -> !known.containsKey(name));
        known.forEach((name, part) -> {
            Pressures own = domains.computeIfAbsent(name, unknown -> Pressures.ofDomain());
            readDomain(own, name, memoryPm.getOrDefault(name, 0L));
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

    private void readBroker() {
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
        read(broker, PressureReason.R_DISK_LATENCY, ShardLoad::syncMs);
        read(broker, PressureReason.R_REPLICATION, load -> Pressures.lag(load.stalledMs(), load.lagMs()));
    }

    private void readDomain(Pressures own, String name, long memoryPm) {
        ToIntFunction<ShardLoad> waitedMs = load -> load.waitedMs().getOrDefault(name, 0);
        read(own, PressureReason.R_QUEUE_DELAY, waitedMs);
        read(own, PressureReason.R_CPU, load -> Pressures.busy(load.cpuPm(), waitedMs.applyAsInt(load)));
        own.tick(PressureReason.R_MEMORY, memoryPm);
    }

    /**
     * The highest figure of all shards. A shard that is late is read more often than it speaks: what it said once is one
     * reading.
     */
    private void read(Pressures pressures, PressureReason reason, ToIntFunction<ShardLoad> figure) {
        int highest = -1;
        boolean isNews = false;
        for (int i = 0; i < loads.size(); i++) {
            int value = figure.applyAsInt(loads.get(i));
            boolean isNewsHere = loads.get(i) != loadsBefore.get(i);
            if (value > highest) {
                highest = value;
                isNews = isNewsHere;
            } else if (value == highest) {
                isNews |= isNewsHere;
            }
        }
        if (isNews) {
            pressures.tick(reason, highest);
        } else {
            pressures.tickWithout(reason);
        }
    }

    private void tell(String name, PublishBudget.Part part, Pressures own) {
        PressureSignal before = part.signal.get();
        PressureSignal now = signal(name, own);
        boolean isNew = !now.isAs(before);
        boolean isWorse = now.state().getNumber() > before.state().getNumber();
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
            context.byInstance.values().forEach(session -> session.tellPressure(part, now, isWorse));
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
