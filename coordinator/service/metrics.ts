/** The service's metrics, as core/metrics/service.ts defines them; what the queue knows is read at every scrape. */
import type { Registry } from "prom-client";
import { serviceMetrics } from "../../core/metrics/service.ts";
import { register } from "../../proto/telemetry/registry.ts";
import type { Standing } from "./main.ts";

export interface ServiceMetrics {
  tookOver(): void;
  /** @param writing is done when a decision is durable */
  journalling(writing: Promise<void>): Promise<void>;
  /** Before a scrape. */
  refresh(standing: Standing): void;
}

export function createServiceMetrics(registry: Registry): ServiceMetrics {
  const families = register(registry, serviceMetrics);
  return {
    tookOver: () => families.takeovers.inc(),
    async journalling(writing) {
      const startedMs = performance.now();
      await writing;
      families.journalled.observe((performance.now() - startedMs) / 1_000);
    },
    refresh(standing) {
      const isLeading = standing.kind === "leading";
      families.leading.set(Number(isLeading));
      families.mayDecide.set(Number(isLeading && standing.leadership.holds()));
      for (const gauge of [families.jobs, families.workers, families.fence, families.oldestQueued]) gauge.reset();
      families.fence.remove();
      families.oldestQueued.remove();
      if (!isLeading) return;
      const { jobs, seats } = standing.reign.state;
      families.fence.set(standing.leadership.fence);
      for (const state of serviceMetrics.jobs.labels.state) families.jobs.set({ state }, 0);
      for (const place of serviceMetrics.workers.labels.place) families.workers.set({ place }, 0);
      for (const { phase } of jobs.values()) families.jobs.inc({ state: phase.kind });
      for (const { place } of seats.values()) families.workers.inc({ place: place.kind });
      const waiting = [...jobs.values()].filter(({ phase }) => phase.kind === "queued");
      if (waiting.length > 0) families.oldestQueued.set(Math.min(...waiting.map(({ sinceMs }) => sinceMs)) / 1_000);
    },
  };
}
